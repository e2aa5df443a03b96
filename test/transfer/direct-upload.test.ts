/** Parts on their way into a store that is slow, full, forgetful or hostile. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Api } from '../../src/client/api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { formatDigest } from '../../src/core/digest.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { BATCH, DirectUpload, type LocalPart } from '../../src/transfer/direct-upload.ts';
import { PartSender } from '../../src/transfer/part-upload.ts';

const RELEASE = parseReleaseName('acme/tiny@v1');
const PART = 1000;
const TOKEN = 'a-token-that-is-nobody-elses';

let store: Server;
let sender: PartSender;
let folder: string;
let location: string;
/** What the store answers next; then 200. */
let answers: (readonly [number, string] | 'hang up')[];
let heard: { path: string; headers: IncomingHttpHeaders; length: number }[];
let signed: number[][];
let noted: number[][];
let refuseToSign: number | undefined;
let seconds: number;
/** What telling the registry takes. */
let slow: Promise<void> | undefined;

beforeEach(async () => {
  [answers, heard, signed, noted, seconds] = [[], [], [], [], 300];
  refuseToSign = undefined;
  slow = undefined;
  store = createServer(async (request, response) => {
    const body = await buffer(request);
    heard.push({ path: request.url ?? '', headers: request.headers, length: body.length });
    const answer = answers.shift() ?? ([200, ''] as const);
    if (answer === 'hang up') return void request.socket.destroy();
    const [status, code] = answer;
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    response.writeHead(status, status === 200 ? { etag } : { location: 'http://127.0.0.1:1/' });
    response.end(code && `<Error><Code>${code}</Code><Message>secret words</Message></Error>`);
  });
  await new Promise<void>((done) => store.listen(0, '127.0.0.1', done));
  sender = new PartSender(4);
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-direct-'));
  location = join(folder, 'file');
});
afterEach(async () => {
  sender.close();
  store.closeAllConnections();
  await new Promise((done) => store.close(done));
  await rm(folder, { recursive: true });
});

/** A registry that signs whatever it is asked to sign. */
const registry: typeof fetch = async (input, init) => {
  const { parts } = JSON.parse(String(init?.body)) as {
    parts: { number: number; sha256: string }[];
  };
  const numbers = parts.map(({ number }) => number);
  const { port } = store.address() as AddressInfo;
  if (String(input).endsWith('/parts')) {
    noted.push(numbers);
    await slow;
    return Response.json({ noted: numbers.length });
  }
  if (refuseToSign !== undefined) return Response.json({}, { status: refuseToSign });
  signed.push(numbers);
  const requests = parts.map(({ number, sha256 }) => ({
    url: `http://127.0.0.1:${port}/part/${number}?signature=secret-${signed.length}`,
    headers: [{ name: 'x-amz-checksum-sha256', value: sha256 }],
  }));
  return Response.json({ requests, seconds });
};

async function upload(count: number, clock?: () => number) {
  const bytes = new Uint8Array(count * PART).map((_, i) => i / PART);
  await writeFile(location, bytes);
  const parts = Array.from({ length: count }, (_, i): LocalPart => {
    const part = bytes.subarray(i * PART, (i + 1) * PART);
    const sha256 = new Uint8Array(createHash('sha256').update(part).digest());
    return { number: i + 1, offset: i * PART, length: PART, sha256 };
  });
  const url = parseRegistryUrl('http://registry.example');
  const pauses = { sleep: async () => {}, random: () => 0 };
  const api = new Api({ url, token: TOKEN, fetch: registry, pauses });
  const { signal } = new AbortController();
  const options = {
    api,
    sender,
    release: RELEASE,
    upload: 'u',
    location,
    session: 'session',
    signal,
  };
  const way = new DirectUpload({ ...options, ...(clock && { clock }) }, parts);
  return { way, parts };
}

describe('parts that go to the store', () => {
  test('are signed in batches, sent as they were signed, and told of together', async () => {
    const { way, parts } = await upload(BATCH + 8);
    const { promise, resolve } = Promise.withResolvers<void>();
    slow = promise;
    await Promise.all(parts.map((part) => way.send(part)));
    resolve();
    await way.finish();
    expect(signed.map(({ length }) => length)).toEqual([BATCH, 8]);
    expect(noted.flat().toSorted((a, b) => a - b)).toEqual(parts.map(({ number }) => number));
    expect(noted).toHaveLength(2);
    for (const { path, headers, length } of heard) {
      const number = Number(/^\/part\/(\d+)/.exec(path)?.[1]);
      const { sha256 } = parts[number - 1]!;
      expect(headers['x-amz-checksum-sha256']).toBe(formatDigest(sha256));
      expect([headers['content-length'], length]).toEqual([String(PART), PART]);
    }
  });

  test('never carry the token, nor the session’s credential', async () => {
    const { way, parts } = await upload(3);
    await Promise.all(parts.map((part) => way.send(part)));
    for (const { path, headers } of heard) {
      expect(JSON.stringify([path, headers])).not.toContain(TOKEN);
      expect(JSON.stringify([path, headers])).not.toContain('session');
      expect(headers.authorization).toBeUndefined();
    }
  });

  test('are never sent on to where a store redirects', async () => {
    answers = [[307, '']];
    const { way, parts } = await upload(1);
    await expect(way.send(parts[0]!)).rejects.toThrowWithCode('network');
    expect(heard).toHaveLength(1);
  });

  test('are signed anew once their time is nearly over', async () => {
    let now = 0;
    const { way, parts } = await upload(4, () => now);
    await way.send(parts[0]!);
    now = 200_000;
    await way.send(parts[1]!);
    expect(signed).toEqual([[1, 2, 3, 4]]);
    now = 230_000;
    await way.send(parts[2]!);
    expect(signed).toEqual([
      [1, 2, 3, 4],
      [3, 4],
    ]);
  });

  test('are signed anew when the store says that the signature is no good, and only these', async () => {
    answers = [[403, 'AccessDenied']];
    const { way, parts } = await upload(3);
    await expect(way.send(parts[0]!)).rejects.toMatchObject({ details: { transient: true } });
    await way.send(parts[0]!);
    await way.send(parts[1]!);
    expect(signed).toEqual([[1, 2, 3], [1]]);
  });

  test.each([
    [[503, 'SlowDown'], 'overloaded', true],
    [[500, 'InternalError'], 'network', true],
    [[400, 'RequestTimeout'], 'network', true],
    [[400, 'BadDigest'], 'digest-mismatch', false],
    [[400, 'XAmzContentChecksumMismatch'], 'digest-mismatch', false],
    ['hang up', 'network', true],
  ] as const)(
    'that fail with %j are %s, and may be tried again: %s',
    async (answer, code, transient) => {
      answers = [answer];
      const { way, parts } = await upload(1);
      const outcome = await way.send(parts[0]!).catch((error: unknown) => error);
      expect(outcome).toMatchObject({ code, details: { transient } });
      expect(String((outcome as Error).message)).not.toMatch(/secret/);
      await way.send(parts[0]!);
      await way.finish();
      expect(noted).toEqual([[1]]);
      expect(signed).toEqual([[1]]);
    },
  );

  test('of an upload that is no more are not sent at all', async () => {
    refuseToSign = 404;
    const { way, parts } = await upload(2);
    await expect(way.send(parts[0]!)).rejects.toThrowWithCode('not-found');
    expect(heard).toEqual([]);
    refuseToSign = undefined;
    await way.send(parts[1]!);
    expect(noted.length + heard.length).toBeGreaterThan(0);
  });
});
