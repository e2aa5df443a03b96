/** What is damaged is restored: from the log, from what is left, from a pull, from another registry. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { freePort } from '../../scripts/peers/free-port.ts';
import { CodedError } from '../../src/core/error.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { fingerprint } from '../../src/core/trust/root.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { readStoredRoot } from '../../src/operator/stored-root.ts';
import { Damages } from '../../src/registry/damages.ts';
import { releaseForm } from '../../src/registry/documents/release.ts';
import { KINDS, type Kind } from '../../src/scrub/kinds.ts';
import { openFolderSource } from '../../src/scrub/repair/folder-source.ts';
import { openRegistrySource } from '../../src/scrub/repair/registry-source.ts';
import { Repair, type RepairedObject, type RepairParts } from '../../src/scrub/repair/repair.ts';
import type { RepairSource } from '../../src/scrub/repair/source.ts';
import { Scrub } from '../../src/scrub/scrub.ts';
import type { Store } from '../../src/store/contract.ts';
import { openDirectory } from '../../src/store/directory.ts';
import { type Key, keys } from '../../src/store/keys.ts';
import { type Home, makeHome } from '../cli/command-line.ts';
import { drawHolder, FullStore, WEIGHTS } from '../made/full-store.ts';
import { servePlainly } from '../made/plain-server.ts';
import { NO_PAUSES } from '../made/reader.ts';
import { flipBit } from '../made/rot.ts';

jest.setTimeout(120_000);

let folder: string;
let hashing: HashingPool;
/** The registry before any damage, served. */
let mirror: { readonly url: string; close(): Promise<void> };
let store: Store;
/** Never damaged. */
let good: Store;
let damages: Damages;
let copies = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-repair-'));
  await mkdir(join(folder, 'good'));
  good = await openDirectory(join(folder, 'good'), { create: true });
  hashing = new HashingPool();
  const full = await FullStore.make(good, folder);
  await full.close();
  mirror = await servePlainly({
    store: await copy(),
    keys: join(folder, 'keys'),
    index: join(folder, 'index'),
  });
});
afterEach(() => store?.close());
afterAll(async () => {
  await mirror?.close();
  await good.close();
  await hashing.close();
  await rm(folder, { recursive: true, force: true });
});

/** A copy of the whole store, as a backup would be. */
async function copy(): Promise<string> {
  const path = join(folder, `copy-${copies++}`);
  await cp(join(folder, 'good'), path, { recursive: true });
  return path;
}

async function openCopy(): Promise<void> {
  store = await openDirectory(await copy());
  damages = new Damages({ store, clock: Date.now });
}

const signal = new AbortController().signal;
const sleep = async () => {};
const random = () => randomBytes(16).toString('hex');

async function scrub(): Promise<Key[]> {
  const holder = drawHolder();
  const parts = { store, host: nodeHost, hashing, damages, holder, clock: Date.now, signal, sleep };
  await new Scrub(parts).run({ fresh: true });
  const found: Key[] = [];
  for await (const { object } of damages.records()) found.push(object);
  return found.sort();
}

function repair(sources: readonly RepairSource[], more: Partial<RepairParts> = {}) {
  const parts = { store, host: nodeHost, hashing, damages, sources, random, signal };
  return new Repair({ ...parts, dryRun: false, ...more }).run();
}

/** Every key of the good store of that kind. */
async function keysOf(kind: Kind): Promise<Key[]> {
  const found: Key[] = [];
  const { at } = KINDS[kind];
  for (const root of ['log', 'root', 'releases', 'namespaces', 'skeletons', 'digests', 'blobs']) {
    for await (const key of store.list(`${root}/` as never)) if (at.test(key)) found.push(key);
  }
  for (const root of [
    ...['statements', 'chunks', 'revisions', 'private'],
    ...['signatures', 'artifacts', 'artifacts-by-digest'],
  ]) {
    for await (const key of store.list(`${root}/` as never)) if (at.test(key)) found.push(key);
  }
  if (at.test('heads')) found.push('heads' as Key);
  if (at.test('roots')) found.push('roots' as Key);
  return found.sort();
}

/** Kinds that are restored without anybody's help. */
const BY_ITSELF: readonly Kind[] = [
  ...(['checkpoint', 'release', 'revision', 'label', 'announcement', 'voided'] as const),
  ...(['skeleton', 'namespace', 'roots', 'heads', 'chunks', 'digest'] as const),
  'artifactObject',
  ...(['claim', 'publicClaim', 'exchanged', 'revoked'] as const),
];

describe('without any source', () => {
  test.each(BY_ITSELF)('a %s is restored to the byte', async (kind) => {
    await openCopy();
    const [key] = await keysOf(kind);
    const before = (await store.get(key!))!.bytes;
    flipBit(store, key!, KINDS[kind].care === 'private' ? 0 : undefined);
    expect(await scrub()).toEqual([key]);
    const report = await repair([]);
    expect(report).toMatchObject({ left: 0, objects: [{ object: key, outcome: 'repaired' }] });
    if (!['checkpoint', 'revoked', 'publicClaim'].includes(kind)) {
      expect((await store.get(key!))!.bytes).toEqual(before);
    }
    expect(await scrub()).toEqual([]);
  });

  test('hash tiles are made again out of the entries', async () => {
    await openCopy();
    const tiles = (await keysOf('tile')).filter((key) => !key.includes('/entries/'));
    for (const tile of tiles) flipBit(store, tile);
    expect(await scrub()).toEqual(tiles);
    expect(await repair([])).toMatchObject({ left: 0 });
    expect(await scrub()).toEqual([]);
  });

  test('what nobody else has is lost, and stays named', async () => {
    await openCopy();
    const [key] = await keysOf('publishers');
    flipBit(store, key!);
    await scrub();
    const report = await repair([]);
    expect(report).toMatchObject({ left: 1, objects: [{ object: key, outcome: 'lost' }] });
  });
});

describe('from another registry that has it', () => {
  const fromUrl = async () => [await openRegistrySource(mirror.url, { signal })];

  test.each(['statement', 'tile', 'root', 'report', 'decision', 'signature'] as const)(
    'every %s that is public is restored to the byte',
    async (kind) => {
      await openCopy();
      const all = await keysOf(kind);
      const before = new Map<Key, Uint8Array>();
      for (const key of all) before.set(key, (await store.get(key))!.bytes);
      for (const key of all) flipBit(store, key);
      // A manifest or a tile that is whole again shows what it was hiding.
      let objects: readonly RepairedObject[] = [];
      const found = new Set<Key>();
      for (let round = 0; round < 3; round++) {
        for (const key of await scrub()) found.add(key);
        ({ objects } = await repair(await fromUrl()));
      }
      const lost = objects.filter(({ outcome }) => outcome === 'lost').map(({ object }) => object);
      expect(await scrub()).toEqual(lost);
      // An OCI manifest that is lost goes on hiding its layers.
      for (const key of found) {
        if (!lost.includes(key)) expect((await store.get(key))!.bytes).toEqual(before.get(key));
      }
      // What belongs to a draft that is not published is nobody else's.
      if (kind !== 'statement') expect(lost).toEqual([]);
      expect(lost.length).toBeLessThan(all.length);
    },
  );

  test('of a blob only the damaged chunks are fetched', async () => {
    await openCopy();
    const blob = await largestBlob();
    flipBit(store, blob, 9 * 2 ** 20);
    expect(await scrub()).toEqual([blob]);
    expect(await damages.find(blob)).toMatchObject({ problem: 'damaged', chunks: [1] });
    const dry = await repair(await fromUrl(), { dryRun: true });
    expect(dry).toMatchObject({ left: 1, objects: [{ outcome: 'repairable' }] });
    const { objects, left } = await repair(await fromUrl());
    expect(left).toBe(0);
    expect(objects).toMatchObject([
      { object: blob, outcome: 'repaired', fetched: 8 * 2 ** 20, from: [mirror.url] },
    ]);
    expect(await store.size(blob)).toBeUndefined();
    expect(await scrub()).toEqual([]);
    const next = await largestBlob();
    expect(readFileSync(store.localPath!(next)).equals(WEIGHTS)).toBe(true);
  });

  test('a blob that is gone, cut short or too long is made anew', async () => {
    for (const break_ of [
      (blob: Key) => store.delete(blob),
      async (blob: Key) => writeFileSync(store.localPath!(blob), WEIGHTS.subarray(0, 10_000_000)),
      async (blob: Key) =>
        writeFileSync(store.localPath!(blob), Buffer.concat([WEIGHTS, Buffer.from('x')])),
    ]) {
      await openCopy();
      const blob = await largestBlob();
      await break_(blob);
      expect(await scrub()).toEqual([blob]);
      expect(await repair(await fromUrl())).toMatchObject({ left: 0 });
      expect(await scrub()).toEqual([]);
      await store.close();
    }
  });

  test('a binding whose blob nobody knows any more is fetched whole', async () => {
    await openCopy();
    const blob = await largestBlob();
    await store.delete(blob);
    const digests = await keysOf('digest');
    for (const key of digests) {
      const binding = JSON.parse(new TextDecoder().decode((await store.get(key))!.bytes));
      if (blob.endsWith(binding.blob)) flipBit(store, key);
    }
    expect((await scrub()).some((key) => key.startsWith('digests/'))).toBe(true);
    expect(await repair(await fromUrl())).toMatchObject({ left: 0 });
    expect(await scrub()).toEqual([]);
  });

  test('a source that lies repairs nothing', async () => {
    await openCopy();
    const blob = await largestBlob();
    flipBit(store, blob, 9 * 2 ** 20);
    await scrub();
    const liar: RepairSource = {
      name: 'liar',
      statement: async () => new Uint8Array(3),
      chunkList: async () => new Uint8Array(96),
      async content(_, _place, { length }) {
        return ReadableStream.from([new Uint8Array(length)]);
      },
    };
    expect(await repair([liar])).toMatchObject({ left: 1, objects: [{ outcome: 'lost' }] });
    expect(await repair([liar, ...(await fromUrl())])).toMatchObject({ left: 0 });
  });
});

describe('from a directory that the release was pulled into', () => {
  let home: Home;
  let pulled: string;

  beforeAll(async () => {
    home = await makeHome();
    pulled = home.path('pulled');
    home.env.WEIGHHOUSE_URL = mirror.url;
    const root = await readStoredRoot(nodeHost, good);
    const pin = ['--fingerprint', fingerprint(nodeHost, root.first)];
    await home.json('trust', 'add', mirror.url, ...pin);
    await home.json('pull', 'acme/tiny@v1.0', pulled);
  });
  afterAll(() => home.remove());

  test('content, chunk list, manifest, envelopes and trust root are restored', async () => {
    await openCopy();
    const blob = await largestBlob();
    const record = await releaseRecord();
    const statements = [record.digest, record.model_sig, record.release_dsse].map(keys.statement);
    const chunks = await keysOf('chunks');
    const rotten = [blob, ...statements, ...chunks, keys.root(1)].sort();
    for (const key of rotten) flipBit(store, key);
    await scrub();
    const { objects } = await repair([await openFolderSource(pulled)]);
    await scrub();
    const left: Key[] = [];
    for await (const { object } of damages.records()) left.push(object);
    // A chunk list of another release is not in this pull, nor is the content that would tell it.
    expect(left.filter((key) => key === blob || statements.includes(key))).toEqual([]);
    expect(left).not.toContain(keys.root(1));
    expect(objects.find(({ object }) => object === blob)).toMatchObject({
      outcome: 'repaired',
      from: [pulled],
    });
  });

  test('a directory that was tampered with repairs nothing', async () => {
    await openCopy();
    const blob = await largestBlob();
    flipBit(store, blob, 100);
    await scrub();
    const weights = join(pulled, 'weights.bin');
    const before = readFileSync(weights);
    const wrong = Buffer.from(before);
    wrong[7]! ^= 1;
    writeFileSync(weights, wrong);
    const source = await openFolderSource(pulled);
    expect(await repair([source])).toMatchObject({ left: 1, objects: [{ outcome: 'lost' }] });
    writeFileSync(weights, before);
    expect(await repair([source])).toMatchObject({ left: 0 });
  });
});

describe('a source that does not answer', () => {
  test('is refused before anything is called lost', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const opening = openRegistrySource(nobody, { signal, pauses: NO_PAUSES });
    await expect(opening).rejects.toThrowWithCode('network');
  });
});

describe('a repair that was stopped', () => {
  test('between the new blob and its binding goes on with the blob that is there', async () => {
    await openCopy();
    const blob = await largestBlob();
    flipBit(store, blob, 9 * 2 ** 20);
    await scrub();
    const source = () => openRegistrySource(mirror.url, { signal });
    const dying = new Proxy(store, {
      get(target, name) {
        const kill = async () => {
          throw new CodedError('interrupted', 'killed');
        };
        if (name === 'delete') return kill;
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    await expect(repair([await source()], { store: dying })).rejects.toThrowWithCode('interrupted');
    expect(await damages.find(blob)).toMatchObject({ replacement: expect.any(String) });
    const { objects, left } = await repair([]);
    expect(left).toBe(0);
    expect(objects).toMatchObject([{ object: blob, outcome: 'repaired', fetched: 0 }]);
    expect(await scrub()).toEqual([]);
  });
});

async function releaseRecord() {
  const key = keys.release(parseReleaseName('acme/tiny@v1.0'));
  return releaseForm.parse((await store.get(key))!.bytes);
}

/** The blob with the weights. */
async function largestBlob(): Promise<Key> {
  for (const key of await keysOf('blob')) {
    if (((await store.size(key)) ?? 0) > 2 ** 20) return key;
  }
  throw new Error('there is no large blob');
}
