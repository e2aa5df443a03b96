import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import express from 'express';
import pino from 'pino';
import { utf8 } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/digest.ts';
import { CodedError } from '../../src/core/error.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import type { Content } from '../../src/registry/registry.ts';
import { contentSender } from '../../src/server/content.ts';
import { listen } from '../../src/server/listen.ts';
import { problemHandler } from '../../src/server/problem.ts';

const BYTES = utf8('Bytes that lie in no file of this machine.');
const CONTENT: Content = {
  path: 'far.bin',
  size: BYTES.length,
  sha256: digestOf(nodeHost, BYTES),
  chunkSize: 16,
  chunkList: async () => chunkList(),
  read: async ({ offset, length }) => ReadableStream.from([BYTES.slice(offset, offset + length)]),
  localPath: undefined,
};
/** Content of stores elsewhere is hashed from its stream. */
const HASHING = {
  hashFile: () => Promise.reject(new Error('there is no local file')),
  async hashBytes(source: AsyncIterable<Uint8Array>) {
    const parts: Uint8Array[] = [];
    for await (const part of source) parts.push(part);
    return { sha256: digestOf(nodeHost, Buffer.concat(parts)) };
  },
} as unknown as Parameters<typeof contentSender>[0];

function chunkList(): Uint8Array {
  const chunks = [0, 16, 32].map((at) => nodeHost.sha256(BYTES.slice(at, at + 16)));
  return new Uint8Array(Buffer.concat(chunks));
}

/** Serves `content` and lets `act` ask for it. */
async function serving(content: Content, most: number, act: (url: string) => Promise<void>) {
  const sender = contentSender(HASHING, { maxSendings: most });
  const app = () => {
    const it = express();
    it.get('/', (request, response) => sender.send(request, response, content));
    return it.use(problemHandler(pino({ level: 'silent' })));
  };
  const listening = await listen(app, { host: '127.0.0.1', port: 0 });
  await act(listening.url);
  await listening.close(100);
}

describe('content that lies elsewhere', () => {
  test.each(['chunks', ''])('is streamed from the store (verifies: "%s")', async (verifies) => {
    await serving(CONTENT, 1, async (url) => {
      const headers = { 'weighhouse-verifies': verifies, range: 'bytes=5-40' };
      const response = await fetch(url, { headers });
      expect(response.status).toBe(206);
      expect(await response.bytes()).toEqual(BYTES.slice(5, 41));
    });
  });

  test('and is damaged is not sent', async () => {
    const damaged = { ...CONTENT, chunkList: async () => chunkList().fill(0, 0, 1) };
    await serving(damaged, 1, async (url) => expect((await fetch(url)).status).toBe(500));
  });
});

describe('content that nobody waits for any more', () => {
  test.each(['chunks', ''])('is read no further (verifies: "%s")', async (verifies) => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<AbortSignal | undefined>();
    const slow: Content = {
      ...CONTENT,
      read: (_range, signal) => {
        ask(signal);
        return new Promise((_resolve, reject) => {
          const over = () => reject(new CodedError('interrupted', 'nobody waits'));
          signal?.addEventListener('abort', over);
        });
      },
    };
    await serving(slow, 1, async (url) => {
      const client = new AbortController();
      const headers = { 'weighhouse-verifies': verifies };
      const answer = fetch(url, { headers, signal: client.signal }).catch(() => {});
      const signal = await asked;
      client.abort();
      await answer;
      if (signal?.aborted !== true) await once(signal!, 'abort');
      // Its place is free again.
      expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    });
  });
});

describe('files over the number that is sent at once', () => {
  test('are refused with a time to try again, and sent once a place is free', async () => {
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const slow = {
      ...CONTENT,
      async chunkList() {
        enter();
        await held;
        return chunkList();
      },
    };
    await serving(slow, 1, async (url) => {
      const first = fetch(url);
      await entered;
      const second = await fetch(url);
      expect([second.status, second.headers.get('retry-after')]).toEqual([503, '5']);
      expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
      release();
      expect((await (await first).bytes()).length).toBe(BYTES.length);
      expect((await fetch(url)).status).toBe(200);
    });
  });
});
