/** Weights whose readers are sent to the store. */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import { formatDigest } from '../../src/core/digest.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import type { Content } from '../../src/registry/registry.ts';
import { contentSender, READ_SECONDS } from '../../src/server/content.ts';
import { type OciParts, ociRouter, PULL_SECONDS } from '../../src/server/oci/router.ts';

const BYTES = Buffer.from('It was a bright cold day in April.');
const hashing = new HashingPool({ threads: 1 });
let server: Server;
let signed: unknown[];

function content(bytes: Buffer): Content {
  return {
    path: 'dir/größe.bin',
    size: bytes.length,
    sha256: formatDigest(createHash('sha256').update(bytes).digest()),
    chunkSize: 8 * 2 ** 20,
    chunkList: async () => new Uint8Array(),
    read: async () => ReadableStream.from([bytes]),
    localPath: undefined,
    signedUrl: async (as, seconds) => {
      signed.push([as, seconds]);
      return 'https://bucket.example/blob?signature=x';
    },
  };
}

/** As much of a registry as a blob takes: a release of one file. */
function oneFile(file: Content) {
  const release = { namespace: 'acme', name: 'tiny', version: 'v1' };
  return {
    catalogue: { releases: () => [{ release, files: 1 }] },
    registry: {
      artifactObject: async () => undefined,
      release: async () => ({ manifest: { files: [file] } }),
      content: async () => file,
    },
  };
}

beforeAll(async () => {
  const app = express();
  const sender = contentSender(hashing);
  app.get('/file', (request, response) => sender.send(request, response, content(BYTES)));
  app.get('/empty', (request, response) =>
    sender.send(request, response, content(Buffer.alloc(0))),
  );
  app.use('/v2', ociRouter({ ...oneFile(content(BYTES)), sender } as unknown as OciParts));
  server = createServer(app);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterAll(async () => {
  await new Promise((done) => server.close(done));
  await hashing.close();
});

async function ask(path: string, init: RequestInit = {}) {
  signed = [];
  const { port } = server.address() as AddressInfo;
  return fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init });
}

describe('a file in a store that clients reach', () => {
  test('is read there, as an attachment under its name, for a while', async () => {
    const response = await ask('/file');
    expect(response.status).toBe(307);
    expect(response.headers.get('location')).toBe('https://bucket.example/blob?signature=x');
    const disposition = `attachment; filename="gr??e.bin"; filename*=UTF-8''gr%C3%B6%C3%9Fe.bin`;
    const cache = `public, max-age=${READ_SECONDS}, immutable`;
    const as = { type: 'application/octet-stream', disposition, cache };
    expect(signed).toEqual([[as, READ_SECONDS]]);
  });

  test('leaves a redirect that no cache keeps and that describes no bytes', async () => {
    const { headers } = await ask('/file', { headers: { range: 'bytes=0-3' } });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-length')).toBe('0');
    for (const name of ['etag', 'repr-digest', 'content-disposition', 'content-range']) {
      expect([name, headers.get(name)]).toEqual([name, null]);
    }
  });

  test('is described here: HEAD is answered, and so is who has it already', async () => {
    const head = await ask('/file', { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe(String(BYTES.length));
    const etag = head.headers.get('etag')!;
    expect((await ask('/file', { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect(signed).toEqual([]);
  });

  test('that is empty needs no store', async () => {
    expect((await ask('/empty')).status).toBe(200);
  });

  test('as a blob of OCI leads there for as long as Ollama takes ranges from one address', async () => {
    const { sha256 } = content(BYTES);
    const response = await ask(`/v2/acme/tiny/blobs/${sha256}`);
    expect(response.status).toBe(307);
    expect(response.headers.get('location')).toBe('https://bucket.example/blob?signature=x');
    expect(response.headers.get('docker-content-digest')).toBe(sha256);
    expect(signed).toMatchObject([[{ cache: expect.stringContaining('86400') }, PULL_SECONDS]]);
    expect(PULL_SECONDS).toBe(86_400);
  });
});
