/**
 * The S3 store against a small server that loses answers, contradicts itself and cuts bodies
 * short: what real servers do seldom. Against a real one: test/s3.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { formatBase64, utf8 } from '../../src/core/bytes.ts';
import { digestBytes, digestOf } from '../../src/core/digest.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import type { Store } from '../../src/store/contract.ts';
import { keys } from '../../src/store/keys.ts';
import { openBucket } from '../../src/store/s3.ts';
import { MIN_PART_SIZE } from '../../src/store/upload-shape.ts';

/** What becomes of one request: it is done or not, and answered, or the answer is lost. */
type Fate = 'well' | 'answer lost' | 'request lost' | 'cut short' | readonly [number, string];

const objects = new Map<string, Buffer>();
/** The fates of the next requests of a method; then all goes well. */
const fates: { method: string; fate: Fate }[] = [];
const seen: string[] = [];
let server: Server;
let store: Store;

beforeEach(async () => {
  objects.clear();
  fates.length = 0;
  seen.length = 0;
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  store = openBucket('s3://bucket/prefix', {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
  });
});

afterEach(async () => {
  await store.close();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const fail = (method: string, ...next: Fate[]) => {
  for (const fate of next) fates.push({ method, fate });
};

describe('an answer that was lost', () => {
  test('of a swap that was done: the swap is known to be done', async () => {
    fail('PUT', 'answer lost');
    const version = await store.swap(keys.lock(), null, utf8('one'));
    expect(version).toBeDefined();
    expect((await store.get(keys.lock()))?.version).toBe(version);
    fail('PUT', 'answer lost');
    expect(await store.swap(keys.lock(), version!, utf8('two'))).toBeDefined();
    expect((await store.get(keys.lock()))?.bytes).toEqual(utf8('two'));
  });

  test('of a swap that was done and overtaken: nobody is told that it was not', async () => {
    const version = await store.swap(keys.lock(), null, utf8('one'));
    fail('PUT', 'answer lost', [500, 'InternalError'], [500, 'InternalError']);
    const swapping = store.swap(keys.lock(), version!, utf8('two'));
    swapping.catch(() => {});
    while (!objects.get('/bucket/prefix/private/lock')?.equals(utf8('two'))) {
      await new Promise((done) => setImmediate(done));
    }
    objects.set('/bucket/prefix/private/lock', Buffer.from('three'));
    await expect(swapping).rejects.toThrowWithCode('unknown-outcome');
  });

  test('of a request that never came: it is sent again', async () => {
    fail('PUT', 'request lost');
    expect(await store.swap(keys.lock(), null, utf8('one'))).toBeDefined();
    expect((await store.get(keys.lock()))?.bytes).toEqual(utf8('one'));
  });

  test('of a create: at most one writer is told that it created', async () => {
    fail('PUT', 'answer lost');
    expect(await store.create(keys.root(1), utf8('root'))).toBe('exists');
    expect((await store.get(keys.root(1)))?.bytes).toEqual(utf8('root'));
  });
});

describe('a conditional PUT', () => {
  test('that lost is known to have lost, with one request', async () => {
    const version = await store.swap(keys.lock(), null, utf8('one'));
    await store.swap(keys.lock(), version!, utf8('two'));
    seen.length = 0;
    expect(await store.swap(keys.lock(), version!, utf8('three'))).toBeUndefined();
    expect(await store.create(keys.lock(), utf8('four'))).toBe('exists');
    expect(seen).toEqual(['PUT', 'PUT']);
  });

  test('of a document that is gone is lost, whether the server says 404 or 412', async () => {
    const version = await store.swap(keys.lock(), null, utf8('one'));
    await store.delete(keys.lock());
    for (const answer of [
      [404, 'NoSuchKey'],
      [412, 'PreconditionFailed'],
    ] as const) {
      fail('PUT', answer);
      expect(await store.swap(keys.lock(), version!, utf8('two'))).toBeUndefined();
    }
  });

  test('with the answer 409 is undecided, and made again', async () => {
    fail('PUT', [409, 'ConditionalRequestConflict'], [409, 'ConditionalRequestConflict']);
    expect(await store.swap(keys.lock(), null, utf8('one'))).toBeDefined();
    expect(seen).toEqual(['PUT', 'PUT', 'PUT']);
  });

  test('that lost after a conflict is known to have lost: a conflict is no write', async () => {
    const version = await store.swap(keys.lock(), null, utf8('one'));
    await store.swap(keys.lock(), version!, utf8('two'));
    fail('PUT', [409, 'ConditionalRequestConflict']);
    expect(await store.swap(keys.lock(), version!, utf8('three'))).toBeUndefined();
    expect(seen.slice(2)).toEqual(['PUT', 'PUT']);
  });

  test('that stays undecided is an unknown outcome', async () => {
    fail('PUT', ...Array<Fate>(9).fill([409, 'ConditionalRequestConflict']));
    await expect(store.swap(keys.lock(), null, utf8('one'))).rejects.toThrowWithCode(
      'unknown-outcome',
    );
  });

  test('that is forbidden is a failure at once', async () => {
    fail('PUT', [403, 'AccessDenied']);
    await expect(store.create(keys.root(1), utf8('root'))).rejects.toThrowWithCode('storage');
    expect(seen).toEqual(['PUT']);
  });
});

describe('a body that was cut short', () => {
  test('is never taken for the object', async () => {
    await store.create(keys.root(1), new Uint8Array(100_000));
    fail('GET', 'cut short', 'cut short', 'cut short');
    await expect(store.get(keys.root(1))).rejects.toThrowWithCode('storage');
    fail('GET', 'cut short');
    const stream = await store.read(keys.root(1));
    await expect(new Response(stream).arrayBuffer()).rejects.toThrow();
  });

  test('a range that the server shortens is refused', async () => {
    await store.create(keys.root(1), new Uint8Array(100));
    await expect(store.read(keys.root(1), { offset: 50, length: 51 })).rejects.toThrowWithCode(
      'storage',
    );
  });
});

describe('a bucket that asks to be asked less', () => {
  test('is asked again for a while, and then called busy, with nothing of its words', async () => {
    fail('GET', ...Array<Fate>(9).fill([503, 'SlowDown']));
    const reading = store.get(keys.root(1));
    await expect(reading).rejects.toMatchObject({
      code: 'overloaded',
      details: { retryAfterSeconds: 2 },
      message: expect.not.stringContaining('root'),
    });
  });

  test('does not lose a write over it', async () => {
    fail('PUT', ...Array<Fate>(2).fill([503, 'SlowDown']));
    expect(await store.swap(keys.lock(), null, utf8('one'))).toBeDefined();
  });

  test('that is full is called full', async () => {
    fail('PUT', ...Array<Fate>(30).fill([507, 'XMinioStorageFull']));
    await expect(store.create(keys.root(1), utf8('root'))).rejects.toThrowWithCode('disk-full');
  });
});

describe('an upload', () => {
  const key = keys.blob('0'.repeat(32));
  const shape = { size: 1000, partSize: MIN_PART_SIZE };
  const bytes = new Uint8Array(1000).fill(7);
  const sha256 = digestOf(nodeHost, bytes);
  const body = () => ReadableStream.from([bytes]) as AsyncIterable<Uint8Array>;

  test('says the SHA-256 of each part when it is put, and again at the end', async () => {
    const id = await store.beginUpload(key, shape);
    const part = await store.putPart(key, id, 1, 1000, body(), sha256);
    await store.completeUpload(key, id, [part]);
    const checksum = formatBase64(digestBytes(sha256));
    expect(uploads.at(-1)).toMatchObject({ algorithm: 'SHA256', checksums: [checksum] });
    expect(uploads.at(-1)?.completed).toContain(`<ChecksumSHA256>${checksum}</ChecksumSHA256>`);
    expect((await store.get(key))?.bytes).toEqual(bytes);
  });

  test('that an error inside a 200 did not complete is completed again', async () => {
    const id = await store.beginUpload(key, shape);
    const part = await store.putPart(key, id, 1, 1000, body(), sha256);
    fail('POST', [200, 'InternalError']);
    await store.completeUpload(key, id, [part]);
    expect((await store.get(key))?.bytes).toEqual(bytes);
  });

  test('whose completion was done and its answer lost is complete', async () => {
    const id = await store.beginUpload(key, shape);
    const part = await store.putPart(key, id, 1, 1000, body(), sha256);
    fail('POST', 'answer lost');
    await store.completeUpload(key, id, [part]);
    expect((await store.get(key))?.bytes).toEqual(bytes);
  });

  test('whose part the bucket finds to be other bytes says so', async () => {
    for (const name of ['BadDigest', 'XAmzContentChecksumMismatch']) {
      const id = await store.beginUpload(key, shape);
      fail('PUT', [400, name]);
      const putting = store.putPart(key, id, 1, 1000, body(), sha256);
      await expect(putting).rejects.toThrowWithCode('digest-mismatch');
    }
  });

  test('of a bucket that is gone ends with a reason, whatever it was doing', async () => {
    const id = await store.beginUpload(key, shape);
    const part = await store.putPart(key, id, 1, 1000, body(), sha256);
    fail('POST', ...Array<Fate>(40).fill([500, 'InternalError']));
    fail('HEAD', ...Array<Fate>(40).fill([500, 'InternalError']));
    await expect(store.completeUpload(key, id, [part])).rejects.toThrowWithCode('unknown-outcome');
  });
});

test.each([
  'bucket',
  's3://',
  's3://b',
  's3://Bucket/a',
  's3://bucket//a',
  's3://bucket/../a',
  's3://bucket/a//b',
  `s3://bucket/${'a'.repeat(128)}`,
])('%s is no bucket', (address) => {
  expect(() => openBucket(address)).toThrowWithCode('usage');
});

test.each([
  'store.example',
  'https://store.example/s3',
  'ftp://store.example',
  'https://u@s.example',
])('%s is no address at which clients find the bucket', (publicEndpoint) => {
  const open = () => openBucket('s3://bucket', { region: 'us-east-1', publicEndpoint });
  expect(open).toThrowWithCode('usage');
});

test.each([
  ['s3://bucket', 's3://bucket/'],
  ['s3://bucket/', 's3://bucket/'],
  ['s3://bucket/a/b/', 's3://bucket/a/b/'],
  ['s3://bucket/Acme', 's3://bucket/Acme/'],
])('%s is a bucket', (address, name) => {
  expect(openBucket(address, { region: 'us-east-1' }).name).toBe(name);
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '' } = request;
  seen.push(method);
  const body = await buffer(request);
  const next = fates.findIndex((expected) => expected.method === method);
  const fate = next < 0 ? 'well' : fates.splice(next, 1)[0]!.fate;
  if (fate === 'request lost') return void request.socket.destroy();
  if (typeof fate !== 'string') return refuse(response, ...fate);
  const { pathname: path, searchParams } = new URL(request.url ?? '', 'http://server');
  if (searchParams.has('uploads') || searchParams.has('uploadId')) {
    const said = upload(request, response, path, searchParams, body);
    if (fate === 'answer lost') return void request.socket.destroy();
    response.end(said);
    return;
  }
  if (method === 'PUT') put(request, response, path, body);
  else if (method === 'DELETE') remove(response, path);
  else get(request, response, path);
  if (fate === 'answer lost') return void request.socket.destroy();
  if (fate === 'cut short') {
    response.write(objects.get(path)?.subarray(0, 10));
    return void setImmediate(() => request.socket.destroy());
  }
  response.end(method === 'GET' && response.statusCode < 300 ? rangeOf(request, path) : undefined);
}

/** What the server knows of multipart uploads; each has one part here. */
interface Upload {
  readonly algorithm: string | undefined;
  readonly checksums: (string | undefined)[];
  bytes: Buffer;
  completed: string;
}
const uploads: Upload[] = [];

function upload(
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
  body: Buffer,
): string {
  const header = (name: string) => headers[name] as string | undefined;
  if (query.has('uploads')) {
    const algorithm = header('x-amz-checksum-algorithm');
    uploads.push({ algorithm, checksums: [], bytes: Buffer.alloc(0), completed: '' });
    const id = `<UploadId>${uploads.length - 1}</UploadId>`;
    return `<InitiateMultipartUploadResult>${id}</InitiateMultipartUploadResult>`;
  }
  const it = uploads[Number(query.get('uploadId'))]!;
  if (method === 'PUT') {
    it.checksums.push(header('x-amz-checksum-sha256'));
    it.bytes = body;
    response.setHeader('ETag', etag(body));
    return '';
  }
  if (method === 'GET') {
    const part = `<Part><PartNumber>1</PartNumber><ETag>${etag(it.bytes)}</ETag></Part>`;
    return `<ListPartsResult>${part}</ListPartsResult>`;
  }
  it.completed = body.toString();
  objects.set(path, it.bytes);
  return '<CompleteMultipartUploadResult></CompleteMultipartUploadResult>';
}

function put(request: IncomingMessage, response: ServerResponse, path: string, body: Buffer): void {
  const found = objects.get(path);
  const { 'if-none-match': none, 'if-match': match } = request.headers;
  if ((none === '*' && found) || (match && (!found || etag(found) !== match))) {
    refuse(response, 412, 'PreconditionFailed');
    return;
  }
  objects.set(path, body);
  response.setHeader('ETag', etag(body));
}

function remove(response: ServerResponse, path: string): void {
  objects.delete(path);
  response.writeHead(204);
}

function get(request: IncomingMessage, response: ServerResponse, path: string): void {
  const found = objects.get(path);
  if (found === undefined) {
    refuse(response, 404, 'NoSuchKey');
    return;
  }
  const part = rangeOf(request, path)!;
  response.writeHead(part.length === found.length ? 200 : 206, {
    ETag: etag(found),
    'Content-Length': part.length,
  });
}

function rangeOf(request: IncomingMessage, path: string): Buffer | undefined {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  const found = objects.get(path);
  return first === undefined ? found : found?.subarray(Number(first), Number(last) + 1);
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'Content-Type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
}

function etag(bytes: Buffer): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}
