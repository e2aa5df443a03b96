/**
 * Clients of a cluster who never stop asking: each sends one request after another through the
 * balancer, over kept connections, and everything that was not answered as it should be is
 * remembered. Nothing is asked twice: a client that tries again would hide what was lost.
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Cluster } from '../../scripts/cluster/cluster.ts';

export interface Ask {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export class Traffic {
  /** What was not answered with a status below 400, in words. */
  readonly failures: string[] = [];
  /** Requests that were answered well. */
  answered = 0;
  readonly #cluster: Cluster;
  readonly #agent: Agent;
  #stopping = false;
  #clients: Promise<void>[] = [];

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#agent = new Agent({ keepAlive: true, ca: readFileSync(cluster.certificate) });
  }

  /** Starts a client that asks what `next` says, with the number of the request. */
  start(next: (i: number) => Ask): void {
    this.#clients.push(this.#run(next));
  }

  /** Resolves when another `count` requests were answered well. */
  async more(count: number): Promise<void> {
    const goal = this.answered + count;
    while (this.answered < goal) await new Promise((later) => setTimeout(later, 20));
  }

  /** Ends the clients, each with the answer that it waits for. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }

  /** One request. Rejects when no whole answer comes. */
  async ask({ method, path, body }: Ask): Promise<Answer> {
    const json = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${this.#cluster.registry.token}`,
      ...(json !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(json),
      }),
    };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(
        this.#cluster.url,
        { path, method, headers, agent: this.#agent },
        resolve,
      );
      sent.once('error', reject);
      sent.end(json);
    });
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return { status: response.statusCode ?? 0, text };
  }

  async #run(next: (i: number) => Ask): Promise<void> {
    for (let i = 0; !this.#stopping; i++) {
      const ask = next(i);
      try {
        const { status, text } = await this.ask(ask);
        if (status < 400) this.answered++;
        else this.failures.push(`${ask.method} ${ask.path}: ${status} ${text}`);
      } catch (error) {
        this.failures.push(`${ask.method} ${ask.path}: ${(error as Error).message}`);
      }
    }
  }
}
