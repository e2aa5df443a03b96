/** The network of the fault programs makes the faults that it says: or they would prove nothing. */
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Fault, FaultProxy } from './fault-proxy.ts';
import { drawSchedule } from './schedule.ts';

const BODY = 'x'.repeat(1_000);
let upstream: Server;
let done: string[];
let proxy: FaultProxy | undefined;

beforeEach(async () => {
  done = [];
  upstream = createServer(async (incoming, response) => {
    let body = '';
    for await (const part of incoming) body += part;
    done.push(body);
    response.setHeader('etag', '"tag"').end(BODY);
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
});

afterEach(async () => {
  await proxy?.close();
  upstream.close();
  upstream.closeAllConnections();
});

/** What a client sees of one PUT that meets `fault`: the status and the body, or how it broke off. */
async function put(fault: Fault | undefined) {
  const { port } = upstream.address() as AddressInfo;
  proxy = await FaultProxy.start(port, () => fault);
  const sending = request(`${proxy.endpoint}/bucket/key`, { method: 'PUT', agent: false });
  sending.on('error', () => {}).end('payload');
  try {
    const [answer] = await once(sending, 'response');
    let body = '';
    try {
      for await (const part of answer) body += part;
    } catch (error) {
      return { status: answer.statusCode, bytes: body.length, broken: (error as Error).message };
    }
    return {
      status: answer.statusCode,
      bytes: body.length,
      length: answer.headers['content-length'],
    };
  } catch (error) {
    return { broken: (error as NodeJS.ErrnoException).code };
  }
}

describe('a request that meets', () => {
  test.each<[string, Fault | undefined, number, object]>([
    ['nothing', undefined, 1, { status: 200, bytes: 1000 }],
    ['delay', { kind: 'delayed', milliseconds: 1 }, 1, { status: 200, bytes: 1000 }],
    ['a refusal', { kind: 'refused', status: 409 }, 0, { status: 409 }],
    ['a refusal after it was done', { kind: 'done-refused', status: 503 }, 1, { status: 503 }],
    ['a reset before it', { kind: 'cut-off' }, 0, { broken: 'ECONNRESET' }],
    ['a reset within it', { kind: 'half-sent' }, 0, { broken: 'ECONNRESET' }],
    ['the loss of its answer', { kind: 'lost' }, 1, { broken: 'ECONNRESET' }],
    ['a stall', { kind: 'stalled', milliseconds: 1 }, 1, { broken: 'ECONNRESET' }],
    ['its double', { kind: 'twice' }, 2, { status: 200, bytes: 1000 }],
    ['a reset within the answer', { kind: 'cut-answer' }, 1, { status: 200, broken: 'aborted' }],
    ['a short body', { kind: 'short-answer' }, 1, { status: 200, broken: 'aborted' }],
    ['a shortened body', { kind: 'shortened' }, 1, { status: 200, bytes: 500, length: '500' }],
  ])('%s', async (_, fault, times, seen) => {
    expect(await put(fault)).toMatchObject(seen);
    expect(done).toEqual(Array.from({ length: times }, () => 'payload'));
  });
});

test('a schedule does the same to the n-th request of a kind, whatever else is sent', () => {
  const weather = { faults: 0.5, storms: 0, stalls: 0, stallMs: 1 };
  const [alone, among] = [drawSchedule(7, weather), drawSchedule(7, weather)];
  const lock = '/bucket/prefix/private/lock';
  const drawn = Array.from({ length: 50 }, () => alone('PUT', lock));
  const mixed = Array.from({ length: 50 }, (_, i) => {
    among('GET', `/bucket/prefix/log/tile/${i}`);
    return among('PUT', lock);
  });
  expect(mixed).toEqual(drawn);
  expect(drawn.filter((fault) => fault !== undefined).length).toBeGreaterThan(10);
});
