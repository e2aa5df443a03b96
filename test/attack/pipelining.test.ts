/** Many requests of one connection at once: their answers wait for one another. */
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Admission } from '../../src/server/admission.ts';
import { MAX_PIPELINED } from '../../src/server/connections.ts';
import { LOAD_LIMITS } from '../../src/server/loads.ts';
import { openSocket, readToEnd } from '../made/raw-http.ts';
import { filePath, Served } from '../made/served.ts';

let served: Served;
const sockets: Socket[] = [];
const admission = new Admission({ read: { ...LOAD_LIMITS.read, atOnce: 32, waiting: 0 } });
beforeAll(async () => {
  served = await Served.start({ parts: { admission } });
  await served.publish('acme/tiny@v1', { 'weights.bin': new Uint8Array(64 * 2 ** 20) });
}, 30_000);
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => served.stop());

/** Asks for weights that it does not read, and for `more` checkpoints behind them. */
async function pipeline(more: number): Promise<Socket> {
  const socket = await openSocket(served.port);
  sockets.push(socket);
  const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\n\r\n`;
  const weights = ask(filePath('acme/tiny@v1', 'weights.bin'));
  socket.write(weights + ask('/log/checkpoint').repeat(more));
  return socket;
}

const running = () => admission.counts().find(({ load }) => load === 'read')!.running;

test('one connection does not take the places of all others', async () => {
  const socket = await pipeline(64);
  let isCut = false;
  socket.on('error', () => {}).once('close', () => (isCut = true));
  while (!isCut && running() < 32) await new Promise(setImmediate);
  expect((await served.fetch('/log/checkpoint')).status).toBe(200);
  expect(running()).toBe(0);
});

test(`a connection may have ${MAX_PIPELINED} requests under way`, async () => {
  const socket = await pipeline(MAX_PIPELINED - 1);
  while (running() < MAX_PIPELINED - 1) await new Promise(setImmediate);
  expect(socket.destroyed).toBe(false);
  const beyond = await pipeline(MAX_PIPELINED);
  await readToEnd(beyond);
});
