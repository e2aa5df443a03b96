/** Ranges of a file that a registry sends its readers elsewhere for. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RangeConnection } from '../../../src/transfer/download/connection.ts';

const CONTENT = Uint8Array.from({ length: 10_000 }, (_, i) => i % 251);

let home: Server;
let away: Server;
let connection: RangeConnection;
/** What each was asked: path and token. */
let asked: [string, string | undefined][];
let awaited: [string, string | undefined][];
/** What each request said of who checks the bytes, the registry's before the store's. */
let verifying: (string | string[] | undefined)[];
let sockets: Set<unknown>;
let address: number;
/** What the store answers instead. */
let refusal: number | undefined;

beforeEach(async () => {
  [asked, awaited, verifying, sockets, address, refusal] = [[], [], [], new Set(), 0, undefined];
  home = await listen((request, response) => {
    asked.push([request.url ?? '', request.headers.authorization]);
    verifying.push(request.headers['weighhouse-verifies']);
    sockets.add(request.socket);
    const location = `${urlOf(away)}/blob?signature=${++address}`;
    response.writeHead(307, { location, 'content-length': 0 });
    response.end();
  });
  away = await listen((request, response) => {
    awaited.push([request.url ?? '', request.headers.authorization]);
    verifying.push(request.headers['weighhouse-verifies']);
    sockets.add(request.socket);
    if (refusal === undefined) return sendRange(request, response);
    response.writeHead(refusal, { location: `${urlOf(away)}/other` });
    response.end('<Error/>');
  });
  connection = new RangeConnection();
});
afterEach(async () => {
  connection.close();
  for (const server of [home, away]) {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
});

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function sendRange(request: IncomingMessage, response: ServerResponse): void {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')!.map(Number);
  const part = CONTENT.subarray(first, last! + 1);
  response.writeHead(206, {
    'content-length': part.length,
    'content-range': `bytes ${first}-${last}/${CONTENT.length}`,
  });
  response.end(part);
}

async function read(offset: number, location?: string, more: { unchecked?: boolean } = {}) {
  const parts: Uint8Array[] = [];
  const request = {
    url: `${urlOf(home)}/file`,
    token: 'secret',
    location,
    range: { offset, length: 1000 },
    size: CONTENT.length,
    ...more,
  };
  const from = await connection.read(request, (bytes) => parts.push(bytes.slice()));
  expect(Buffer.concat(parts).equals(CONTENT.subarray(offset, offset + 1000))).toBe(true);
  return from;
}

describe('a range from a registry that redirects', () => {
  test('comes from there, and the next ones without asking the registry, over kept connections', async () => {
    const location = await read(0);
    expect(await read(5000, location)).toBe(location);
    expect(await read(9000, location)).toBe(location);
    expect(asked).toHaveLength(1);
    expect(awaited).toHaveLength(3);
    await read(1000);
    expect(sockets.size).toBe(2);
  });

  test('takes the token to the registry alone', async () => {
    await read(0, await read(0));
    expect(new Set(asked.map(([, token]) => token))).toEqual(new Set(['Bearer secret']));
    expect(new Set(awaited.map(([, token]) => token))).toEqual(new Set([undefined]));
  });

  test.each([400, 401, 403, 404, 410])(
    'is asked for anew when its address answers %i',
    async (status) => {
      const location = await read(0);
      refusal = status;
      const reading = read(1000, location).catch(() => {});
      await reading;
      refusal = undefined;
      expect(asked).toHaveLength(2);
      expect(awaited.map(([path]) => path)).toEqual([
        '/blob?signature=1',
        '/blob?signature=1',
        '/blob?signature=2',
      ]);
      expect(await read(1000, location)).not.toBe(undefined);
    },
  );

  test('fails without showing the signature when the store refuses a fresh address', async () => {
    refusal = 403;
    const outcome = await read(0).catch((error: unknown) => error);
    expect(outcome).toMatchObject({ code: 'network', details: { status: 403, transient: true } });
    expect(JSON.stringify([outcome, (outcome as Error).message])).not.toContain('signature');
  });

  test('is said to be checked here to the registry alone, and only when it is', async () => {
    await read(0);
    await read(0, undefined, { unchecked: true });
    expect(verifying).toEqual(['chunks', undefined, undefined, undefined]);
  });

  test('is not found when the store has lost it', async () => {
    refusal = 404;
    await expect(read(0)).rejects.toThrowWithCode('not-found');
  });

  test('is not followed to a second redirect', async () => {
    refusal = 302;
    await expect(read(0)).rejects.toThrowWithCode('network');
    expect(awaited).toHaveLength(1);
  });

  test('is tried again later when the store asks for that', async () => {
    const location = await read(0);
    refusal = 503;
    await expect(read(0, location)).rejects.toThrowWithCode('overloaded');
    expect(asked).toHaveLength(1);
  });
});
