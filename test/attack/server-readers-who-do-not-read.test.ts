/**
 * Many ask for large answers and take none of them: each would lie in the server's memory
 * until the connection is cut for idling.
 */
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import pino from 'pino';
import { Backlog, refuseBacklog } from '../../src/server/backlog.ts';
import { type Listening, listen } from '../../src/server/listen.ts';
import { problemHandler } from '../../src/server/problem.ts';
import { openSocket } from '../made/raw-http.ts';

const MIB = 2 ** 20;
/** More than the buffers of both ends of a connection take. */
const ANSWER = Buffer.alloc(48 * MIB);

let listening: Listening;
afterEach(() => listening.close(10));

/** Answers to GET /large with much, to everything else with little. */
async function serve(maxBytes: number): Promise<number> {
  const app = () => {
    const it = express();
    it.use(refuseBacklog(new Backlog(maxBytes)));
    it.get('/large', (_request, response) => void response.send(ANSWER));
    it.all('/small', (_request, response) => void response.send('little'));
    return it.use(problemHandler(pino({ level: 'silent' })));
  };
  listening = await listen(app, { host: '127.0.0.1', port: 0 });
  return Number(new URL(listening.url).port);
}

/** A client that asks, sees that the answer begins, and reads no more. */
async function askAndWait(port: number) {
  const socket = await openSocket(port);
  socket.on('error', () => {});
  socket.write(`GET /large HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

describe('answers that nobody takes', () => {
  test('wait up to a limit for all together; then readers are refused until some are gone', async () => {
    const port = await serve(ANSWER.length + MIB);
    const sockets = [await askAndWait(port)];
    expect((await fetch(`${listening.url}/small`)).status).toBe(200);
    sockets.push(await askAndWait(port));

    const refused = await fetch(`${listening.url}/small`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    // Who writes takes nothing of it.
    expect((await fetch(`${listening.url}/small`, { method: 'POST' })).status).toBe(200);

    for (const socket of sockets) socket.destroy();
    const wasServed = async () => (await fetch(`${listening.url}/small`)).status === 200;
    while (!(await wasServed())) await new Promise((next) => setImmediate(next));
  });
});
