/** HTTP by hand, for requests that no client library would send. */
import { connect, type Socket } from 'node:net';

/** Sends `text` as it stands and resolves to all that comes until the server closes the connection. */
export async function rawExchange(port: number, text: string | Uint8Array): Promise<string> {
  const socket = await openSocket(port);
  const answer = readToEnd(socket);
  socket.write(text);
  return (await answer).toString('latin1');
}

/** A request without a body, on a connection of its own; `target` goes out as it is written. */
export function rawGet(port: number, target: string, headers: readonly string[] = []) {
  const lines = [`GET ${target} HTTP/1.1`, `Host: 127.0.0.1:${port}`, 'Connection: close'];
  return rawExchange(port, `${[...lines, ...headers].join('\r\n')}\r\n\r\n`);
}

export function openSocket(port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect(port, '127.0.0.1', () => resolve(socket));
  socket.once('error', reject);
  return promise;
}

/** What comes until the connection ends, in whichever way. */
export function readToEnd(socket: Socket): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const parts: Buffer[] = [];
  socket.on('data', (part) => parts.push(part));
  socket.on('error', () => {});
  socket.once('close', () => resolve(Buffer.concat(parts)));
  return promise;
}

export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 ([0-9]{3})/.exec(answer)?.[1]);
}
