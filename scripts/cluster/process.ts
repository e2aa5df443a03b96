/** One process of the cluster: what it says goes to a file, and how it ended is known. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

/** What is shown of what a process said before it failed, in characters. */
const SHOWN = 4_000;
const POLL_MS = 50;

export class ClusterProcess {
  readonly name: string;
  /** Where the process writes what it has to say; a restart goes on behind it. */
  readonly log: string;
  readonly #command: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(name: string, log: string, command: readonly string[], env: NodeJS.ProcessEnv) {
    this.name = name;
    this.log = log;
    this.#command = command;
    this.#env = env;
  }

  get pid(): number | undefined {
    return this.isRunning ? this.#child?.pid : undefined;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Exit status or signal of the last run; undefined while it runs. */
  get exit(): number | NodeJS.Signals | undefined {
    return this.#child?.exitCode ?? this.#child?.signalCode ?? undefined;
  }

  /** Starts it; resolves when `isReady` says so. */
  async start(isReady: () => Promise<boolean>, withinMs: number): Promise<void> {
    if (this.isRunning) throw new Error(`${this.name} runs already`);
    const [program, ...args] = this.#command as [string, ...string[]];
    const log = openSync(this.log, 'a');
    const child = spawn(program, args, { stdio: ['ignore', log, log], env: this.#env });
    closeSync(log);
    this.#child = child;
    this.#ended = new Promise((ended) => {
      child.once('exit', () => ended());
      child.once('error', () => ended());
    });
    const deadline = Date.now() + withinMs;
    while (!(await isReady())) {
      if (!this.isRunning || Date.now() > deadline) {
        await this.signal('SIGKILL');
        throw new Error(`${this.name} was not ready in time: ${this.said()}`);
      }
      await new Promise((later) => setTimeout(later, POLL_MS));
    }
  }

  /** Sends a signal; resolves when the process has ended. Nothing happens when it does not run. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    if (this.isRunning) this.#child?.kill(signal);
    await this.#ended;
  }

  /** The end of what it has said. */
  said(): string {
    return readFileSync(this.log, 'utf8').slice(-SHOWN);
  }
}

/** Does `url` answer 200? `certificate` is a PEM file to trust besides. */
export function answers(url: string, certificate?: string): Promise<boolean> {
  const ask = url.startsWith('https:') ? https : http;
  const ca = certificate === undefined ? {} : { ca: readFileSync(certificate) };
  return new Promise((resolve) => {
    const request = ask.get(url, { agent: false, ...ca }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => resolve(false));
  });
}
