/**
 * A registry whose operator lies now and then: a server in front of an honest one, which answers
 * in its place where a test says so.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Front } from './front.ts';
import type { Loose } from './loose.ts';

/** What our client says of a request. */
const PASSED = ['authorization', 'content-type', 'content-digest', 'range'];

interface Call {
  readonly method: string;
  readonly path: string;
}

/** JSON to answer with; undefined leaves the answer to the honest server. */
type Lie = (call: Call, honest: () => Promise<Loose>) => Promise<unknown> | undefined;

export class LyingProxy extends Front {
  lie: Lie = () => undefined;
  readonly #target: string;

  private constructor(target: string) {
    super();
    this.#target = target;
  }

  static start(target: string): Promise<LyingProxy> {
    return new LyingProxy(target).listen();
  }

  protected override async answer(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { method = 'GET', url: path = '/' } = request;
    const body = Buffer.concat(await request.toArray());
    const forward = () => this.#forward(request, body);
    const lie = await this.lie({ method, path }, async () => (await forward()).json());
    if (lie !== undefined) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(lie));
      return;
    }
    const honest = await forward();
    const type = honest.headers.get('content-type') ?? 'application/octet-stream';
    response.writeHead(honest.status, { 'content-type': type });
    response.end(Buffer.from(await honest.arrayBuffer()));
  }

  #forward({ method = 'GET', url, headers }: IncomingMessage, body: Buffer): Promise<Response> {
    const passed = PASSED.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value] as const] : [];
    });
    return fetch(this.#target + url, {
      method,
      headers: Object.fromEntries(passed),
      body: method === 'GET' ? null : (body as Uint8Array<ArrayBuffer>),
    });
  }
}
