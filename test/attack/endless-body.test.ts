/** A client that sends for ever is answered and cut off, whatever it sends to (CVE-2023-46737). */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openSocket, statusOf } from '../made/raw-http.ts';
import { Served } from '../made/served.ts';

const MIB = 2 ** 20;
/** The test ends here if nobody stops reading. */
const ENDLESS = 128 * MIB;

let served: Served;

beforeAll(async () => {
  served = await Served.start();
  await served.api('/drafts/acme/tiny/v1', { method: 'PUT' });
});
afterAll(() => served.stop());

/** Sends blocks of a body until the server answers, or reads no more; resolves to what it sent. */
async function pour(socket: Socket): Promise<{ sent: number; answer: string }> {
  let sent = 0;
  let answer = '';
  socket.on('data', (part) => {
    answer += part.toString('latin1');
  });
  socket.on('error', () => {});
  while (sent < ENDLESS && answer === '' && !socket.destroyed) {
    sent += CHUNK.length;
    if (socket.write(CHUNK)) continue;
    const signs = ['drain', 'data', 'close'].map((event) => once(socket, event));
    await Promise.race(signs).catch(() => {});
  }
  socket.destroy();
  return { sent, answer };
}

const CHUNK = Buffer.from(`10000\r\n${' '.repeat(65_536)}\r\n`);

test.each([
  ['POST', '/drafts/acme/tiny/v1/files', 413],
  ['POST', '/drafts/acme/tiny/v1/publish', 413],
  ['POST', '/advisories', 413],
])('%s %s of no announced length', async (method, path, status) => {
  const socket = await openSocket(served.port);
  const head = [
    `${method} /api/v1${path} HTTP/1.1`,
    `Host: 127.0.0.1:${served.port}`,
    `Authorization: Bearer ${served.publisher}`,
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const { sent, answer } = await pour(socket);
  expect(statusOf(answer)).toBe(status);
  // What lies in the buffers of both ends is sent before the answer is heard.
  expect(sent).toBeLessThan(ENDLESS / 2);
});

test.each(['GET', 'DELETE'])('%s with a body that nobody asked for', async (method) => {
  const socket = await openSocket(served.port);
  const path = method === 'GET' ? '/api/v1/releases' : '/api/v1/drafts/acme/other/v1';
  const head = [
    `${method} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${served.port}`,
    `Authorization: Bearer ${served.publisher}`,
    'Transfer-Encoding: chunked',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  expect((await pour(socket)).sent).toBeLessThan(ENDLESS / 2);
});
