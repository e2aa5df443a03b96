/** One HTTP request, whole, on its way to a server of this machine, and the whole answer. */
import { type Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';

export interface Message {
  readonly method: string;
  readonly url: string;
  /** Names and values in turn, as they came; `Host` among them, which signatures cover. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** What belongs to one connection alone; `expect` was answered by who received the request. */
const OF_THE_CONNECTION = new Set(['connection', 'keep-alive', 'transfer-encoding', 'expect']);

/** Reads a request to its end. Rejects when the sender goes away before. */
export async function receive(incoming: IncomingMessage): Promise<Message> {
  const { method = 'GET', url = '/', rawHeaders } = incoming;
  return { method, url, headers: passedOn(rawHeaders), body: await readAll(incoming) };
}

/** Sends `message` on. Rejects with what Node says when no whole answer comes. */
export async function exchange(
  { method, url, headers, body }: Message,
  { port, agent }: { readonly port: number; readonly agent?: Agent },
): Promise<Answer> {
  const length = body.length > 0 ? ['content-length', String(body.length)] : [];
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sending = request({
      host: '127.0.0.1',
      port,
      method,
      path: url,
      headers: [...without(headers, body.length > 0 ? 'content-length' : ''), ...length],
      ...(agent !== undefined && { agent }),
    });
    sending.once('response', resolve).once('error', reject).end(body);
  });
  const whole = await readAll(answer);
  return { status: answer.statusCode ?? 0, headers: passedOn(answer.rawHeaders), body: whole };
}

export function reply(response: ServerResponse, { status, headers, body }: Answer): void {
  response.sendDate = false;
  response.writeHead(status, [...headers]);
  response.end(body);
}

/** The value of a header. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  const at = headers.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name);
  return at < 0 ? undefined : headers[at + 1];
}

/** `headers` with another value of one of them. */
export function withHeader(headers: readonly string[], name: string, value: string): string[] {
  return [...without(headers, name), name, value];
}

function without(headers: readonly string[], name: string): string[] {
  return headers.filter((_, i) => headers[i - (i % 2)]!.toLowerCase() !== name);
}

function passedOn(headers: readonly string[]): string[] {
  return headers.filter((_, i) => !OF_THE_CONNECTION.has(headers[i - (i % 2)]!.toLowerCase()));
}

async function readAll(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message as AsyncIterable<Buffer>) parts.push(part);
  if (!message.complete) throw new Error('the message was cut short');
  return Buffer.concat(parts);
}
