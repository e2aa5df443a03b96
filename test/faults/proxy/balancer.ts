/**
 * The load balancer in front of a cluster: one address, each request to the next server in
 * service. A server that cannot be connected to is passed over; a request whose server dies
 * under it is cut off and never sent again, for nobody knows what became of it.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Kind, kindOf } from '../load/requests.ts';
import { type Answer, exchange, type Message, receive, reply } from './exchange.ts';

export interface Backend {
  readonly port: number;
  /** What it was sent and has not answered. */
  readonly inFlight: Set<Sent>;
}

/** A request that a server has. */
export interface Sent {
  readonly kind: Kind | undefined;
  readonly backend: Backend;
}

export class Balancer {
  readonly #server: Server;
  readonly #inService: Backend[] = [];
  #turn = 0;
  /** Told of each request as it is sent on, and when it was answered well. */
  onSent: (sent: Sent) => void = () => {};
  onAnswered: (sent: Sent, milliseconds: number) => void = () => {};

  private constructor() {
    this.#server = createServer((incoming, response) => void this.#serve(incoming, response));
    // Many clients' connections are kept while a server is paused.
    this.#server.requestTimeout = 0;
  }

  static async start(): Promise<Balancer> {
    const balancer = new Balancer();
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  admit(port: number): Backend {
    const backend = { port, inFlight: new Set<Sent>() };
    this.#inService.push(backend);
    return backend;
  }

  /** No new request goes there. */
  remove(backend: Backend): void {
    const at = this.#inService.indexOf(backend);
    if (at >= 0) this.#inService.splice(at, 1);
  }

  /** Puts a server back that was removed. */
  readmit(backend: Backend): void {
    this.#inService.push(backend);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const message = await receive(incoming);
      reply(response, await this.#send(message));
    } catch {
      response.destroy();
    }
  }

  async #send(message: Message): Promise<Answer> {
    for (let tried = 0; tried <= this.#inService.length; tried++) {
      const backend = this.#inService[this.#turn++ % Math.max(1, this.#inService.length)];
      if (backend === undefined) break;
      try {
        return await this.#sendTo(backend, message);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error;
      }
    }
    throw new Error('no server is in service');
  }

  async #sendTo(backend: Backend, message: Message): Promise<Answer> {
    const sent: Sent = { kind: kindOf(`${message.method} ${message.url}`), backend };
    const begun = performance.now();
    backend.inFlight.add(sent);
    this.onSent(sent);
    try {
      const answer = await exchange(message, backend);
      // A refusal takes no time.
      if (answer.status < 400) this.onAnswered(sent, performance.now() - begun);
      return answer;
    } finally {
      backend.inFlight.delete(sent);
    }
  }
}
