/**
 * Bytes go past the server: between clients and the bucket, by signed requests. The real command
 * line, a real S3 server under a host name of its own, and a proxy before each that counts.
 */
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Api } from '../../src/client/api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { concat } from '../../src/core/bytes.ts';
import { digestOf, formatDigest } from '../../src/core/digest.ts';
import { chunkRoot } from '../../src/core/release/chunks.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { type CountingProxy, countingProxy } from '../made/counting-proxy.ts';
import { noise } from '../made/noise.ts';
import { frameSafetensors } from '../made/safetensors.ts';
import { BucketHome } from './bucket-home.ts';

jest.setTimeout(120_000);

const MiB = 2 ** 20;
const PART = 8 * MiB;

let home: BucketHome;
let url: string;
let served: string;
/** Before the registry, and before the bucket as clients reach it. */
let registry: CountingProxy;
let bucket: CountingProxy;
/** Before the bucket as the successor of a killed server reaches it. */
let store: CountingProxy;
let s3: S3Client;
const running: ChildProcess[] = [];

beforeAll(async () => {
  home = await BucketHome.make('direct');
  registry = await countingProxy(() => served);
  bucket = await countingProxy(() => home.bucket.endpoint);
  store = await countingProxy(() => home.bucket.endpoint);
  url = `http://localhost:${registry.port}`;
  await serve();
  await home.ask('trust', 'add', url, '--fingerprint', home.fingerprint);
  const { endpoint, region, credentials } = home.bucket;
  s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
});

afterAll(async () => {
  s3?.destroy();
  await registry?.close();
  await bucket?.close();
  await store?.close();
  await home?.remove();
});

/** Starts a server behind the proxy. */
async function serve(...flags: readonly string[]) {
  const clientsGo = ['--bucket-url', `http://localhost:${bucket.port}`];
  const server = await home.serve('--public-url', url, ...clientsGo, ...flags);
  // It prints its public address; where it is bound, the proxy must know.
  served = server.bound;
  running.push(server.process);
  return server;
}

/** A folder with one file of weights; resolves to the bytes. */
async function makeModel(name: string, seed: number, size: number): Promise<Uint8Array> {
  const header = { w: { dtype: 'U8', shape: [size], data_offsets: [0, size] } };
  const weights = frameSafetensors(JSON.stringify(header), noise(seed, size));
  await mkdir(join(home.path, name));
  await writeFile(join(home.path, name, 'model.safetensors'), weights);
  return weights;
}

async function release(name: string, reference: string): Promise<void> {
  const { digest } = await home.ask('push', name, reference, '--url', url);
  await home.ask('publish', reference, '--digest', String(digest), '--url', url);
}

/** What passed the proxies while `act` ran. */
async function passed(act: () => Promise<unknown>) {
  const before = [registry.up, registry.down, bucket.up, bucket.down] as const;
  await act();
  return {
    registry: registry.up - before[0] + registry.down - before[1],
    toBucket: bucket.up - before[2],
    fromBucket: bucket.down - before[3],
  };
}

const fileUrl = (reference: string) =>
  `${url}/api/v1/releases/${reference.replace('@', '/')}/files/model.safetensors`;

describe('where clients reach the bucket', () => {
  let weights: Uint8Array;
  beforeAll(async () => {
    weights = await makeModel('direct', 1, 20 * MiB);
  });

  test('no byte of the weights passes the server, neither at a push nor at a pull', async () => {
    const pushing = await passed(() => release('direct', 'demo/direct@1'));
    expect(pushing.registry).toBeLessThan(MiB);
    expect(pushing.toBucket).toBeGreaterThan(weights.length);
    const pulling = await passed(() => home.ask('pull', 'demo/direct@1', 'pulled', '--url', url));
    expect(pulling.registry).toBeLessThan(MiB);
    expect(pulling.fromBucket).toBeGreaterThan(weights.length);
    const pulled = await readFile(join(home.path, 'pulled/model.safetensors'));
    expect(pulled.equals(weights)).toBe(true);
  });

  test('a look into the release takes the chunk with the header from the bucket, and no other', async () => {
    const looking = await passed(async () => {
      const { files } = await home.ask('inspect', 'demo/direct@1', '--url', url);
      expect(files).toMatchObject([{ tensors: 1, checked: 'header' }]);
    });
    expect(looking.registry).toBeLessThan(MiB);
    expect(looking.fromBucket).toBeGreaterThan(8 * MiB);
    expect(looking.fromBucket).toBeLessThan(9 * MiB);
  });

  test('the bucket never hears the token, nor any other', async () => {
    expect(registry.heard(home.token)).toBe(true);
    expect(bucket.heard('partNumber')).toBe(true);
    expect(bucket.heard('response-content-disposition')).toBe(true);
    expect(bucket.heard(home.token)).toBe(false);
    expect(bucket.heard('Bearer')).toBe(false);
  });

  test('any client is sent to the bucket, and gets the file as an attachment', async () => {
    const redirect = await fetch(fileUrl('demo/direct@1'), { redirect: 'manual' });
    expect(redirect.status).toBe(307);
    expect(redirect.headers.get('cache-control')).toBe('no-store');
    expect(new URL(redirect.headers.get('location')!).port).toBe(String(bucket.port));
    const found = await fetch(fileUrl('demo/direct@1'));
    expect(found.status).toBe(200);
    const disposition = found.headers.get('content-disposition');
    expect(disposition).toMatch(/^attachment; filename="?model\.safetensors"?$/);
    expect(found.headers.get('content-type')).toBe('application/octet-stream');
    expect(Buffer.from(await found.arrayBuffer()).equals(weights)).toBe(true);
  });

  test('a range is answered by the bucket', async () => {
    const headers = { range: 'bytes=8388600-8388615' };
    const found = await fetch(fileUrl('demo/direct@1'), { headers });
    expect(found.status).toBe(206);
    const bytes = new Uint8Array(await found.arrayBuffer());
    expect(bytes).toEqual(weights.subarray(8388600, 8388616));
  });

  test('HEAD is answered here', async () => {
    const head = await fetch(fileUrl('demo/direct@1'), { method: 'HEAD', redirect: 'manual' });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe(String(weights.length));
    expect(head.headers.get('repr-digest')).toMatch(/^sha-256=:/);
  });

  test('a byte that was changed in the bucket is found by the client', async () => {
    await makeModel('changed', 2, 9 * MiB);
    await release('changed', 'demo/changed@1');
    const key = await blobOf('demo/changed@1');
    const target = { Bucket: home.bucket.bucket, Key: key };
    const object = await s3.send(new GetObjectCommand(target));
    const bytes = await object.Body!.transformToByteArray();
    bytes[bytes.length - 1]! ^= 1;
    await s3.send(new PutObjectCommand({ ...target, Body: bytes }));
    const { status } = await home.run('pull', 'demo/changed@1', 'changed-pulled', '--url', url);
    expect(status).toBe(10);
  });
});

describe('a push', () => {
  test('that was killed goes on where it was', async () => {
    const size = 192 * MiB;
    await makeModel('resumed', 3, size);
    const before = new Set(await partsNoted());
    const push = home.start('push', 'resumed', 'demo/resumed@1', '--url', url);
    const ended = new Promise((done) => push.once('close', done));
    const noted = async () => (await partsNoted()).filter((key) => !before.has(key)).length;
    while ((await noted()) < 4);
    push.kill('SIGKILL');
    await ended;
    const again = await passed(() => home.ask('push', 'resumed', 'demo/resumed@1', '--url', url));
    expect(again.toBucket).toBeLessThan(size - 3 * PART);
    expect(again.toBucket).toBeGreaterThan(PART);
  });

  /** The keys of all records of parts. */
  async function partsNoted(): Promise<string[]> {
    const query = { Bucket: home.bucket.bucket, Prefix: 'direct/private/uploads/' };
    const { Contents = [] } = await s3.send(new ListObjectsV2Command(query));
    return Contents.map(({ Key = '' }) => Key).filter((key) => /\/\d+$/.test(key));
  }
});

describe('a server that is killed while it seals', () => {
  test('is followed by another, which reads nothing again that was read', async () => {
    const [files, size] = [6, 24 * MiB];
    const [first] = running;
    await mkdir(join(home.path, 'many'));
    for (let n = 0; n < files; n++) {
      await writeFile(join(home.path, `many/${n}.bin`), noise(10 + n, size));
    }
    const endpoint = home.environment.AWS_ENDPOINT_URL_S3;
    home.environment.AWS_ENDPOINT_URL_S3 = `http://127.0.0.1:${store.port}`;
    const direct = served;
    await serve();
    home.environment.AWS_ENDPOINT_URL_S3 = endpoint;
    const successor = served;
    served = direct;

    const pushing = home.ask('push', 'many', 'demo/many@1', '--url', url);
    let read = 0;
    while (read < 2) read = await filesRead('demo/many/1');
    const begun = store.down;
    served = successor;
    await home.stop(first!, 'SIGKILL');
    read = await filesRead('demo/many/1');
    expect(await pushing).toMatchObject({ reference: 'demo/many@1', files });
    // Each file that was not noted may have been on its way, and is looked into once more.
    expect(store.down - begun).toBeLessThan((files - read) * size + 4 * MiB);
    expect(store.down - begun).toBeGreaterThan((files - read - 1) * size);
  });

  /** Files of the draft of which the store has it that every byte was read. */
  async function filesRead(draft: string): Promise<number> {
    const Bucket = home.bucket.bucket;
    const query = { Bucket, Prefix: `direct/private/drafts/${draft}/files/` };
    const { Contents = [] } = await s3.send(new ListObjectsV2Command(query));
    const texts = await Promise.all(
      Contents.map(async ({ Key }) =>
        (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString(),
      ),
    );
    return texts.filter((text) => text.includes('"verified"')).length;
  }
});

describe('a signed request for a part', () => {
  const size = PART + 1000;
  /** Of the upload that was begun last; the registry takes nothing twice. */
  let bytes: Uint8Array;
  let chunks: Uint8Array[];
  let seed = 100;

  /** An upload of both parts, and what the registry signed for them. */
  async function begin(name: string) {
    bytes = noise(seed++, size);
    chunks = [bytes.subarray(0, PART), bytes.subarray(PART)];
    const digests = chunks.map((chunk) => createHash('sha256').update(chunk).digest());
    const parts = digests.map((digest, i) => ({ number: i + 1, sha256: formatDigest(digest) }));
    const api = new Api({ url: parseRegistryUrl(url), token: home.token });
    const draft = parseReleaseName(`demo/${name}@1`);
    const { session } = await api.openDraft(draft);
    const root = chunkRoot(nodeHost, concat(...digests));
    const sha256 = digestOf(nodeHost, bytes);
    const file = { path: 'a.bin', size, sha256, chunks: { size: PART, root } };
    const ticket = await api.declareFile(draft, file, { session });
    if (ticket.state !== 'upload') throw new Error('the file is there already');
    expect(ticket.direct).toBe(true);
    const { requests } = await api.signParts(draft, ticket.upload, parts, { session });
    const complete = () => api.completeUpload(draft, ticket.upload, { session });
    const note = (tags: readonly string[]) =>
      api.noteParts(
        draft,
        ticket.upload,
        parts.map((part, i) => ({ ...part, tag: tags[i]! })),
        { session },
      );
    return { requests, note, complete, upload: ticket.upload };
  }

  type Signed = Awaited<ReturnType<typeof begin>>['requests'][number];
  function put(
    { url: to, headers }: Signed,
    body: RequestInit['body'],
    change = {},
  ): Promise<Response> {
    const signed = Object.fromEntries(headers.map(({ name, value }) => [name, value]));
    return fetch(to, {
      method: 'PUT',
      body,
      headers: { ...signed, ...change },
      duplex: 'half',
    } as RequestInit);
  }
  const tagOf = (response: Response) => response.headers.get('etag')!;

  test('puts these bytes and no others, this part and no other', async () => {
    const { requests } = await begin('others');
    const wrong = chunks[0]!.slice();
    wrong[5]! ^= 1;
    const [first, second] = requests as [Signed, Signed];
    expect((await put(first, wrong)).status).toBe(400);
    const itsOwn = { 'x-amz-checksum-sha256': createHash('sha256').update(wrong).digest('base64') };
    expect((await put(first, wrong, itsOwn)).status).toBe(403);
    expect((await put(first, concat(chunks[0]!, chunks[1]!))).status).toBe(403);
    expect((await put(first, chunks[0]!.subarray(1))).status).toBe(403);
    expect((await put(second, chunks[0]!)).status).toBe(403);
    const moved = { ...first, url: first.url.replace('partNumber=1', 'partNumber=2') };
    expect((await put(moved, chunks[0]!)).status).toBe(403);
    const bare = await fetch(first.url, {
      method: 'PUT',
      body: chunks[0]! as Uint8Array<ArrayBuffer>,
    });
    expect(bare.status).toBe(403);
    expect((await put(first, chunks[0]!)).status).toBe(200);
  });

  test('changes nothing any more once the upload is complete, not even one that was under way', async () => {
    const { requests, note, complete, upload } = await begin('late');
    const [first, second] = requests as [Signed, Signed];
    const tags = [tagOf(await put(first, chunks[0]!)), tagOf(await put(second, chunks[1]!))];
    await note(tags);
    const { body, go } = held(chunks[0]!);
    const late = put(first, body, { 'content-length': String(PART) }).catch(
      (error: unknown) => error,
    );
    await complete();
    go();
    await late;
    expect((await put(first, chunks[0]!)).status).toBe(404);
    expect((await put(second, chunks[1]!)).status).toBe(404);
    const Key = `direct/blobs/${upload.slice(0, 2)}/${upload}`;
    const object = await s3.send(new GetObjectCommand({ Bucket: home.bucket.bucket, Key }));
    expect(Buffer.from(await object.Body!.transformToByteArray()).equals(bytes)).toBe(true);
  });

  test('that was never made is not believed: the part is missing, and asked for again', async () => {
    const { requests, note, complete } = await begin('claimed');
    const tag = tagOf(await put(requests[0]!, chunks[0]!));
    await note([tag, '"00000000000000000000000000000000"']);
    await expect(complete()).rejects.toMatchObject({ code: 'conflict', details: { part: 2 } });
  });

  /** A body of which the second half waits. */
  function held(part: Uint8Array) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const half = part.length >> 1;
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue(part.subarray(0, half));
        await promise;
        controller.enqueue(part.subarray(half));
        controller.close();
      },
    });
    return { body, go: resolve };
  }
});

describe('with --bytes through', () => {
  test('every byte passes the server, and none comes to the bucket from a client', async () => {
    const direct = served;
    const server = await serve('--bytes', 'through');
    registry.drop();
    const weights = await makeModel('through', 5, 12 * MiB);
    const pushing = await passed(() => release('through', 'demo/through@1'));
    expect(pushing.toBucket).toBe(0);
    expect(pushing.registry).toBeGreaterThan(weights.length);
    const pulling = await passed(() => home.ask('pull', 'demo/through@1', 'out', '--url', url));
    expect(pulling.fromBucket).toBe(0);
    expect(pulling.registry).toBeGreaterThan(weights.length);
    expect((await fetch(fileUrl('demo/through@1'), { redirect: 'manual' })).status).toBe(200);
    await home.stop(server.process);
    served = direct;
    registry.drop();
  });

  test('a directory cannot be reached by clients', async () => {
    const names = ['--origin', 'other.example', '--no-passphrase', '--root-key', 'off/other.key'];
    await home.ask('init', '--store', 'folder', '--keys', 'others', ...names);
    const where = ['--store', 'folder', '--keys', 'others', '--listen', '127.0.0.1:0'];
    for (const way of ['direct', 'sideways']) {
      const { status, stderr } = await home.run('serve', ...where, '--bytes', way);
      expect([status, stderr]).toEqual([2, expect.stringContaining('direct')]);
    }
  });
});

/** The key under which the one file of a release lies. */
async function blobOf(reference: string): Promise<string> {
  const redirect = await fetch(fileUrl(reference), { redirect: 'manual' });
  const path = new URL(redirect.headers.get('location')!).pathname;
  const key = path.slice(`/${home.bucket.bucket}/`.length);
  const query = { Bucket: home.bucket.bucket, Prefix: key };
  expect((await s3.send(new ListObjectsV2Command(query))).Contents).toHaveLength(1);
  return key;
}
