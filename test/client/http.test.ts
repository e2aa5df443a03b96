import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as v from 'valibot';
import { Http, parseRegistryUrl } from '../../src/client/http.ts';
import { MAX_ATTEMPTS, MAX_RETRY_AFTER_SECONDS, type Pauses } from '../../src/client/retry.ts';

const NUMBER = v.object({ n: v.number() });
const REQUEST = { path: '/thing' };

let server: Server;
let answer: (response: ServerResponse) => void;
let asked: { method: string | undefined; authorization: string | undefined }[];
let waits: number[];
const pauses: Pauses = {
  sleep: async (ms) => {
    waits.push(ms);
  },
  random: () => 1,
};

beforeEach(async () => {
  asked = [];
  waits = [];
  server = createServer((request, response) => {
    asked.push({ method: request.method, authorization: request.headers.authorization });
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function url() {
  return parseRegistryUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

function http(token?: string) {
  return new Http({ url: url(), token, pauses });
}

function problem(status: number, body: unknown, headers: Record<string, string> = {}) {
  return (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/problem+json', ...headers });
    response.end(JSON.stringify(body));
  };
}

describe('an answer', () => {
  test('comes in the shape that was asked for, and the token goes with the request', async () => {
    answer = (response) => response.end('{"n":1,"more":2}');
    expect(await http('secret').json(NUMBER, REQUEST)).toEqual({ n: 1 });
    expect(asked).toEqual([{ method: 'GET', authorization: 'Bearer secret' }]);
  });

  test('in another shape is refused', async () => {
    answer = (response) => response.end('{"n":"1"}');
    await expect(http().json(NUMBER, REQUEST)).rejects.toThrowWithCode('bad-document');
  });

  test('is read to its limit and not one byte further', async () => {
    answer = (response) => response.end('x'.repeat(100));
    expect(await http().bytes({ ...REQUEST, maxBytes: 100 })).toHaveLength(100);
    await expect(http().bytes({ ...REQUEST, maxBytes: 99 })).rejects.toThrowWithCode('too-large');
  });

  test('that never ends is cut off', async () => {
    answer = (response) => {
      const more = () => response.write('x'.repeat(65_536), (error) => error ?? setImmediate(more));
      more();
    };
    await expect(http().bytes({ ...REQUEST, maxBytes: 1_000_000 })).rejects.toThrowWithCode(
      'too-large',
    );
  });
});

describe('a refusal', () => {
  test('has the server’s code, sentence and details', async () => {
    answer = problem(409, { code: 'already-published', detail: 'no', details: { release: 'r' } });
    await expect(http().bytes(REQUEST)).rejects.toMatchObject({
      code: 'already-published',
      message: 'no',
      details: { release: 'r', status: 409 },
    });
  });

  test('by a server that stops is not taken for the person’s own wish to stop', async () => {
    answer = problem(503, { code: 'interrupted', detail: 'the server is stopping' });
    await expect(http().bytes(REQUEST)).rejects.toThrowWithCode('overloaded');
  });

  test('cannot steer a terminal', async () => {
    answer = problem(409, { code: 'conflict', detail: 'a\u001b[2Jb\u202ec\n' });
    await expect(http().bytes(REQUEST)).rejects.toMatchObject({ message: 'a [2Jb c ' });
  });

  test.each([
    [401, 'not-authorised'],
    [403, 'not-authorised'],
    [404, 'not-found'],
    [409, 'conflict'],
    [413, 'too-large'],
    [500, 'network'],
  ])('without a problem document is known by its status: %i is %s', async (status, code) => {
    answer = (response) => response.writeHead(status).end('<html>');
    await expect(http().bytes(REQUEST)).rejects.toMatchObject({ code });
  });
});

describe('a request that fails', () => {
  test('is made again, waiting longer each time, until it is given up', async () => {
    answer = (response) => response.writeHead(502).end();
    await expect(http().bytes(REQUEST)).rejects.toMatchObject({ code: 'network' });
    expect(asked).toHaveLength(MAX_ATTEMPTS);
    expect(waits).toEqual([250, 500, 1000, 2000, 4000]);
  });

  test('is made again when the connection breaks, and succeeds in the end', async () => {
    answer = (response) => {
      if (asked.length < 3) response.destroy();
      else response.end('{"n":3}');
    };
    expect(await http().json(NUMBER, REQUEST)).toEqual({ n: 3 });
  });

  test('waits as long as the server asks for, within reason', async () => {
    answer = (response) => {
      const seconds = asked.length === 1 ? 7 : MAX_RETRY_AFTER_SECONDS + 1;
      response.writeHead(503, { 'retry-after': String(seconds) }).end();
    };
    await expect(http().bytes(REQUEST)).rejects.toMatchObject({ code: 'overloaded' });
    expect(waits).toEqual([7_000 + 7_000 / 4]);
  });

  test('is not made again when it may have been carried out', async () => {
    answer = (response) => response.destroy();
    const post = { ...REQUEST, method: 'POST', json: {} } as const;
    await expect(http().bytes(post)).rejects.toThrowWithCode('network');
    expect(asked).toHaveLength(1);
  });

  test('is not made again when the answer is a refusal', async () => {
    answer = problem(404, { code: 'not-found', detail: 'nothing' });
    expect(await http().bytesIfAny(REQUEST)).toBeUndefined();
    expect(asked).toHaveLength(1);
  });

  test('says which address could not be reached', async () => {
    const unreachable = new Http({ url: parseRegistryUrl('http://127.0.0.1:1'), pauses });
    await expect(unreachable.bytes(REQUEST)).rejects.toThrow(/127\.0\.0\.1:1\/thing/);
  });

  test('stops when it is told to', async () => {
    const stop = new AbortController();
    answer = () => stop.abort();
    const request = { ...REQUEST, signal: stop.signal };
    await expect(http().bytes(request)).rejects.toThrowWithCode('interrupted');
  });

  test('a write is not redirected to somewhere that nobody named', async () => {
    answer = (response) => response.writeHead(307, { location: '/elsewhere' }).end();
    const put = { ...REQUEST, method: 'PUT' } as const;
    await expect(http().bytes(put)).rejects.toThrowWithCode('network');
  });
});

describe('the address of a registry', () => {
  test('loses the slash at its end, and keeps a path', () => {
    expect(parseRegistryUrl('https://example.com/')).toBe('https://example.com');
    expect(parseRegistryUrl('https://example.com/models/')).toBe('https://example.com/models');
  });

  test.each([
    'example.com',
    'ftp://example.com',
    'https://u:p@example.com',
    'https://e.com/?a',
    '',
  ])('%j is refused', (text) => {
    expect(() => parseRegistryUrl(text)).toThrowWithCode('usage');
  });
});
