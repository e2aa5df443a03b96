import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Backlog } from '../../src/server/backlog.ts';
import { logFront } from '../../src/server/log-front.ts';
import { rawExchange, rawGet, statusOf } from '../made/raw-http.ts';
import { Served } from '../made/served.ts';

describe('a tile that is in memory', () => {
  let served: Served;
  let tile: string;
  beforeAll(async () => {
    served = await Served.start();
    const { size } = await served.log.published();
    tile = `/log/tile/0/000.p/${size}`;
  });
  afterAll(() => served.stop());

  const answer = async (path = tile) => {
    const response = await served.fetch(path);
    const { date, 'x-request-id': id, ...headers } = Object.fromEntries(response.headers);
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, id, date, headers, bytes };
  };

  test('is answered as it was the first time, under an id of its own', async () => {
    const first = await answer();
    const again = await answer();
    expect(first.status).toBe(200);
    expect(first.bytes.length).toBeGreaterThan(0);
    expect(again.bytes.equals(first.bytes)).toBe(true);
    expect([again.status, again.headers]).toEqual([first.status, first.headers]);
    expect(again.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(again.id).not.toBe(first.id);
    const lines = served.logged.filter((line) => line.includes(again.id!));
    expect(lines.map((line) => JSON.parse(line).route)).toEqual(['/log/tile/{*rest}']);
  });

  test('is not shown to pages of other hosts', async () => {
    await answer();
    const foreign = `GET ${tile} HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n`;
    expect(statusOf(await rawExchange(served.port, foreign))).toBe(421);
    expect(statusOf(await rawGet(served.port, tile))).toBe(200);
  });

  test('has one spelling', async () => {
    await answer();
    expect((await answer(tile.replace('/0/', '/00/'))).status).toBe(400);
  });

  test('has a head without a body', async () => {
    const { headers } = await answer();
    const head = await served.fetch(tile, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([
      200,
      headers['content-length'],
    ]);
    expect(await head.text()).toBe('');
  });
});

describe('what is not answered here', () => {
  const TILE = '/log/tile/0/000';
  const known = {
    known: (path: string) => (path === 'tile/0/000' ? Buffer.from('a tile') : undefined),
  };

  /** The status of the front's answer, 299 for what it leaves to others. */
  async function ask(path: string, method = 'GET', maxWaiting = 1): Promise<number> {
    const parts = { log: known, hosts: undefined, backlog: new Backlog(maxWaiting) };
    const next = (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(299).end();
    };
    const server = createServer(logFront(parts, next));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const { status } = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    server.close();
    return status;
  }

  test('is all but a GET of a known tile, without a query', async () => {
    expect(await ask(TILE)).toBe(200);
    expect(await ask('/log/tile/0/001')).toBe(299);
    expect(await ask('/log/checkpoint')).toBe(299);
    expect(await ask(`${TILE}?x`)).toBe(299);
    expect(await ask(TILE, 'HEAD')).toBe(299);
    expect(await ask(TILE, 'POST')).toBe(299);
  });

  test('is a tile while too much waits for slow readers', async () => {
    expect(await ask(TILE, 'GET', 0)).toBe(200);
    expect(await ask(TILE, 'GET', -1)).toBe(299);
  });
});
