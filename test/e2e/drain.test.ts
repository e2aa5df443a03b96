/**
 * SIGTERM in the middle of everything: parts, publishes, commitments, a seal, a download. What
 * was acknowledged is there, what was begun is finished or can be gone on with, and the
 * process ends with 0, long before whoever sent the signal loses patience.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { declared, nonceOf, partsOf } from '../made/live-registry.ts';
import type { Loose } from '../made/loose.ts';
import { contentDigest, draftPath, filePath } from '../made/served.ts';
import { Sandbox, type ServerProcess } from './sandbox.ts';

const MIB = 2 ** 20;
const LARGE = new Uint8Array(randomBytes(48 * MIB));
/** Three parts of 8 MiB. */
const HALF_SENT = new Uint8Array(randomBytes(24 * MIB));
/** Milliseconds: less than the drain's own limit, which is there for what does not end by itself. */
const IN_TIME = 25_000;
const PUBLISHES = 6;
const COMMITMENTS = 6;

let sandbox: Sandbox;
let server: ServerProcess;

beforeAll(async () => {
  sandbox = await Sandbox.make();
  const made = await sandbox.init('acme');
  server = await sandbox.serve();
  await sandbox.trust(made);
  await sandbox.publish('acme/base@1', { 'large.bin': LARGE });
}, 60_000);
afterAll(() => sandbox?.remove());

interface Options {
  readonly method?: string;
  readonly json?: unknown;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string>;
}

function call(path: string, { method = 'POST', json, body, headers = {} }: Options = {}) {
  const authorization = `Bearer ${sandbox.env.WEIGHHOUSE_TOKEN}`;
  const type = json === undefined ? {} : { 'content-type': 'application/json' };
  return fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { authorization, ...type, ...headers },
    body: json === undefined ? (body ?? null) : JSON.stringify(json),
  });
}

async function answer(path: string, options: Options = {}): Promise<Loose> {
  const response = await call(path, options);
  if (!response.ok) throw new Error(`${response.status} ${path}: ${await response.text()}`);
  return response.json();
}

/** Opens a draft with one file and sends its first `parts`. */
async function upload(reference: string, content: Uint8Array, parts: number) {
  const draft = draftPath(reference);
  await answer(draft, { method: 'PUT' });
  const ticket = await answer(`${draft}/files`, { json: declared('a.bin', content) });
  for (const part of partsOf(content).slice(0, parts)) {
    const sent = await call(`${draft}/uploads/${ticket.upload}/parts/${part.number}`, {
      method: 'PUT',
      body: part.bytes as Uint8Array<ArrayBuffer>,
      headers: { 'content-digest': contentDigest(part.sha256) },
    });
    expect(sent.status).toBe(204);
  }
  return { draft, upload: ticket.upload as string };
}

async function sealed(reference: string, content: Uint8Array): Promise<string> {
  const { draft, upload: name } = await upload(reference, content, Number.POSITIVE_INFINITY);
  await answer(`${draft}/uploads/${name}/complete`);
  const json = { nonce: nonceOf(1), paths: ['a.bin'] };
  for (;;) {
    const status = await answer(`${draft}/seal`, { json });
    if (status.state === 'sealed') return status.digest;
  }
}

/** A part of which one half is sent, and the rest when the test says so. */
async function halfPart(draft: string, name: string, content: Uint8Array, number: number) {
  const part = partsOf(content)[number - 1]!;
  const sending = request(`${server.url}/api/v1${draft}/uploads/${name}/parts/${number}`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${sandbox.env.WEIGHHOUSE_TOKEN}`,
      'content-length': part.length,
      'content-digest': contentDigest(part.sha256),
    },
  });
  const answered = once(sending, 'response').then(([response]) => response.resume().statusCode);
  const half = part.length / 2;
  await new Promise<void>((sent) => sending.write(part.bytes.subarray(0, half), () => sent()));
  return { finish: () => sending.end(part.bytes.subarray(half)), answered };
}

/** A download of which the beginning was read, and the rest when the test says so. */
async function beganDownload() {
  const response = await fetch(server.url + filePath('acme/base@1', 'large.bin'));
  const reader = response.body!.getReader();
  const hash = createHash('sha256').update((await reader.read()).value!);
  return async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return hash.digest('hex');
      hash.update(value);
    }
  };
}

const hex = (text: string) => createHash('sha256').update(text).digest('hex');

test('a server that is stopped in the middle of everything keeps what it acknowledged, and ends with 0', async () => {
  const references = Array.from({ length: PUBLISHES }, (_, i) => `acme/p${i}@1`);
  const digests = new Map<string, string>();
  for (const it of references) digests.set(it, await sealed(it, new Uint8Array(randomBytes(999))));
  const half = await upload('acme/half@1', HALF_SENT, 1);
  const toSeal = await upload('acme/sealing@1', LARGE.slice(1), Number.POSITIVE_INFINITY);
  await answer(`${toSeal.draft}/uploads/${toSeal.upload}/complete`);

  const part = await halfPart(half.draft, half.upload, HALF_SENT, 2);
  const readRest = await beganDownload();
  const sealing = { nonce: nonceOf(1), paths: ['a.bin'] };
  await answer(`${toSeal.draft}/seal`, { json: sealing });
  const publishes = references.map((it) =>
    answer(`${draftPath(it)}/publish`, { json: { digest: digests.get(it) } }),
  );
  const commitments = Array.from({ length: COMMITMENTS }, (_, i) =>
    answer('/commitments', { json: { label: hex(`l${i}`), commit: hex(`c${i}`) } }),
  );
  while (!(await isLogging())) await nextTurn();
  const begun = performance.now();
  const ended = server.stop();
  // It takes no new connections from now on; what is under way goes on.
  while (
    await fetch(`${server.url}/livez`).then(
      () => true,
      () => false,
    )
  )
    await nextTurn();
  part.finish();
  expect(await part.answered).toBe(204);
  expect(await readRest()).toBe(createHash('sha256').update(LARGE).digest('hex'));
  const published = await Promise.allSettled(publishes);
  const committed = await Promise.allSettled(commitments);
  const { status, stderr } = await ended;
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  expect(performance.now() - begun).toBeLessThan(IN_TIME);

  server = await sandbox.serve();
  const { parts } = await answer(`${half.draft}/files`, { json: declared('a.bin', HALF_SENT) });
  expect(parts.map(({ number }: { number: number }) => number)).toEqual([1, 2]);
  for (const [i, outcome] of published.entries()) {
    if (outcome.status === 'rejected') continue;
    const found = await answer(`/releases/${references[i]!.replace('@', '/')}`, { method: 'GET' });
    expect(found).toMatchObject({ digest: outcome.value.digest, index: outcome.value.index });
  }
  for (const [i, outcome] of committed.entries()) {
    const again = { json: { label: hex(`l${i}`), commit: hex(`c${i}`) } };
    const { index } = await answer('/commitments', again);
    if (outcome.status === 'fulfilled') expect(index).toBe(outcome.value.index);
  }
  // At least those that had their place when the signal came.
  const acknowledged = [...published, ...committed].filter((it) => it.status === 'fulfilled');
  expect(acknowledged.length).toBeGreaterThan(0);
  let sealedNow = await answer(`${toSeal.draft}/seal`, { json: sealing });
  while (sealedNow.state !== 'sealed') sealedNow = await answer(toSeal.draft, { method: 'GET' });
  expect(await sandbox.json('audit', '--content')).toMatchObject({ ok: true });
  await server.stop();
}, 120_000);

/** Does anybody wait for the log? */
async function isLogging(): Promise<boolean> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return !metrics.includes('weighhouse_requests_running{load="log"} 0');
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
