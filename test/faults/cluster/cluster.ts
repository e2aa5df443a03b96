/**
 * Servers of one registry behind a balancer, each a process of its own that can be killed,
 * paused and started again where it was.
 */
import { createServer } from 'node:net';
import type { Sandbox, ServerProcess } from '../../e2e/sandbox.ts';
import { type Backend, Balancer, type Sent } from '../proxy/balancer.ts';

/**
 * Below the ports that the kernel gives to clients, so that a restarted server finds its own free, and
 * above the last one to which `fetch` does not go (Fetch, "bad port": 10080).
 */
const FIRST_PORT = 11_000;
const PORTS = 6_000;
/** Milliseconds within which a server notices that its store is gone, or is back. */
const MAX_READY_MS = 60_000;
/** Milliseconds after which whoever asks whether a server is ready gives up: then it is not. */
const READY_PATIENCE_MS = 2_000;
/** Characters of a server's log that are kept for who asks what went wrong. */
const MAX_LOG = 8_000;

export class Cluster {
  readonly balancer: Balancer;
  readonly nodes: readonly Node[];

  private constructor(balancer: Balancer, nodes: readonly Node[]) {
    this.balancer = balancer;
    this.nodes = nodes;
  }

  /** Servers of the registry of `sandbox`, which take requests when this resolves. */
  static async start(
    sandbox: Sandbox,
    { servers }: { readonly servers: number },
  ): Promise<Cluster> {
    const balancer = await Balancer.start();
    const nodes: Node[] = [];
    for (let number = 1; number <= servers; number++) {
      nodes.push(new Node(sandbox, balancer, number, await freePort()));
    }
    const cluster = new Cluster(balancer, nodes);
    await Promise.all(nodes.map((node) => node.start()));
    return cluster;
  }

  /** Where clients reach it. */
  get url(): string {
    return this.balancer.url;
  }

  /** Where each server listens. */
  get urls(): readonly string[] {
    return this.nodes.map((node) => node.url);
  }

  /** Resolves when every request that was sent was answered, or cut off. */
  async settled(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.settled()));
  }

  /** Resolves when all servers say that they are ready, or that they are not. Throws when that takes too long. */
  async untilReady(isReady: boolean): Promise<void> {
    const deadline = Date.now() + MAX_READY_MS;
    for (;;) {
      const states = await Promise.all(this.nodes.map((node) => node.isReady()));
      if (states.every((state) => state === isReady)) return;
      if (Date.now() > deadline) {
        throw new Error(`after ${MAX_READY_MS} ms the servers are ready: ${states}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Runs `work`; what it throws is thrown with what the servers logged before. */
  async explaining<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      const logs = this.nodes.map(({ name, log }) => `${name} logged:\n${log}`);
      const message = cause instanceof Error ? cause.stack : String(cause);
      throw new Error([message, ...logs].join('\n'), { cause });
    }
  }

  /** Ends the servers in order. Throws when one does not end well. */
  async stop(): Promise<void> {
    for (const node of this.nodes) await node.stop();
    await this.balancer.close();
  }
}

export class Node {
  readonly name: string;
  readonly #sandbox: Sandbox;
  readonly #balancer: Balancer;
  readonly #port: number;
  /** The end of what it logged, in all its lives. */
  log = '';
  #server: ServerProcess | undefined;
  #backend: Backend | undefined;

  constructor(sandbox: Sandbox, balancer: Balancer, number: number, port: number) {
    this.name = `server ${number}`;
    this.#sandbox = sandbox;
    this.#balancer = balancer;
    this.#port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The folder of the sandbox where it remembers what it has seen. */
  get index(): string {
    return this.name.replace(' ', '-');
  }

  get pid(): number {
    return this.#running().server.child.pid!;
  }

  /** Resolves when it has ended, in whichever way. */
  get ended(): Promise<unknown> {
    return this.#running().server.ended;
  }

  /** What it was sent and has not answered. */
  get inFlight(): readonly Sent[] {
    return [...(this.#backend?.inFlight ?? [])];
  }

  /** Resolves when everything that it has by now was answered, or cut off. */
  async settled(): Promise<void> {
    const sent = this.inFlight;
    while (sent.some((each) => this.#backend?.inFlight.has(each))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  has({ backend }: Sent): boolean {
    return backend === this.#backend;
  }

  /** Starts it, and sends it requests once it listens. */
  async start(): Promise<void> {
    await this.begin().listening;
  }

  /** As `start`, for who wants to see it start. */
  begin() {
    const flags = [
      ...['--listen', `127.0.0.1:${this.#port}`],
      ...['--public-url', this.#balancer.url],
      ...['--index', this.index],
    ];
    const { child, listening } = this.#sandbox.startServer(flags);
    child.stderr!.on('data', (text: string) => {
      this.log = `${this.log}${text}`.slice(-MAX_LOG);
    });
    const admitted = listening.then((server) => {
      this.#server = server;
      this.#backend = this.#balancer.admit(this.#port);
    });
    return { child, listening: admitted };
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const { server, backend } = this.#running();
    server.child.kill('SIGKILL');
    this.#balancer.remove(backend);
    await server.ended;
  }

  /** Of a server that ended by itself, or was killed while it started. */
  forget(): void {
    if (this.#backend !== undefined) this.#balancer.remove(this.#backend);
  }

  /** Stops in the middle of whatever it does; no new request is sent to it. */
  pause(): void {
    const { server, backend } = this.#running();
    server.child.kill('SIGSTOP');
    this.#balancer.remove(backend);
  }

  /** Goes on as if no time had passed. */
  resume(): void {
    const { server, backend } = this.#running();
    server.child.kill('SIGCONT');
    this.#balancer.readmit(backend);
  }

  async stop(): Promise<void> {
    const { server, backend } = this.#running();
    this.#balancer.remove(backend);
    const { status, signal, stderr } = await server.stop();
    if (status !== 0) throw new Error(`${this.name} ended with ${status ?? signal}: ${stderr}`);
  }

  /** True when it says that it is ready. */
  async isReady(): Promise<boolean> {
    const signal = AbortSignal.timeout(READY_PATIENCE_MS);
    return fetch(`${this.url}/readyz`, { signal }).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  #running(): { readonly server: ServerProcess; readonly backend: Backend } {
    if (this.#server === undefined || this.#backend === undefined) {
      throw new Error(`${this.name} does not run`);
    }
    return { server: this.#server, backend: this.#backend };
  }
}

async function freePort(): Promise<number> {
  const start = Math.floor(Math.random() * PORTS);
  for (let n = 0; n < PORTS; n++) {
    const port = FIRST_PORT + ((start + n) % PORTS);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port between ${FIRST_PORT} and ${FIRST_PORT + PORTS} is free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
