/** Scrub and repair of a registry in a bucket. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Seaweedfs, startSeaweedfs } from '../../scripts/peers/seaweedfs.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { Damages } from '../../src/registry/damages.ts';
import type { Kind } from '../../src/scrub/kinds.ts';
import { storeClock } from '../../src/scrub/orphans.ts';
import { Repair } from '../../src/scrub/repair/repair.ts';
import type { RepairSource } from '../../src/scrub/repair/source.ts';
import { Scrub } from '../../src/scrub/scrub.ts';
import type { Store } from '../../src/store/contract.ts';
import type { Key } from '../../src/store/keys.ts';
import { openBucket } from '../../src/store/s3.ts';
import { drawHolder, FullStore, WEIGHTS } from '../made/full-store.ts';

jest.setTimeout(180_000);

let folder: string;
let server: Seaweedfs;
let store: Store;
let full: FullStore;
let hashing: HashingPool;
let damages: Damages;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-s3-scrub-'));
  await mkdir(join(folder, 'bucket'));
  server = await startSeaweedfs(join(folder, 'bucket'));
  store = openBucket(`s3://${server.bucket}/registry`, server);
  hashing = new HashingPool();
  full = await FullStore.make(store, folder);
  damages = new Damages({ store, clock: Date.now });
});
afterAll(async () => {
  await full?.close();
  await hashing?.close();
  await store?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const signal = new AbortController().signal;
const random = () => randomBytes(16).toString('hex');

async function scrub(): Promise<Key[]> {
  const parts = { store, host: nodeHost, hashing, damages, clock: Date.now, signal };
  await new Scrub({ ...parts, holder: drawHolder(), sleep: async () => {} }).run({ fresh: true });
  const found: Key[] = [];
  for await (const { object } of damages.records()) found.push(object);
  return found.sort();
}

/** Flips the first bit of an object, in whichever way it was made. */
async function flip(key: Key): Promise<void> {
  const { bytes, version } = (await store.get(key, 64 * 2 ** 20))!;
  const changed = bytes.slice();
  changed[0]! ^= 1;
  const isDocument = /^(namespaces|heads|roots|private\/(drafts|publishers|roots))/.test(key);
  if (isDocument) {
    await store.swap(key, version, changed);
    return;
  }
  await store.delete(key);
  await store.create(key, changed);
}

async function largestBlob(): Promise<Key> {
  for (const key of full.keys.get('blob')!) if ((await store.size(key))! > 2 ** 20) return key;
  throw new Error('there is no large blob');
}

describe('a registry in a bucket', () => {
  test('is scrubbed without a finding, by the store’s own clock', async () => {
    expect(await scrub()).toEqual([]);
    const now = await storeClock({ store, random });
    expect(Math.abs(now - Date.now())).toBeLessThan(10_000);
  });

  test('shows one flipped bit in each of many kinds, and is whole again after a repair', async () => {
    const blob = await largestBlob();
    const kinds: Kind[] = ['release', 'revision', 'label', 'digest', 'claim', 'namespace', 'heads'];
    const flipped = [blob, full.keyOf('tile', 0), ...kinds.map((kind) => full.keyOf(kind))].sort();
    // A binding that is lost would hide the blob that it names.
    const binding = full.keyOf('digest');
    for (const key of flipped) if (key !== binding) await flip(key);
    const found = await scrub();
    expect(found).toEqual(flipped.filter((key) => key !== binding));

    const copy: RepairSource = {
      name: 'a copy',
      statement: async () => undefined,
      chunkList: async () => undefined,
      content: async (_, place, { offset, length }) =>
        place?.file.path === 'weights.bin'
          ? ReadableStream.from([WEIGHTS.slice(offset, offset + length)])
          : undefined,
    };
    const parts = { store, host: nodeHost, hashing, damages, sources: [copy], random, signal };
    const { objects, left } = await new Repair({ ...parts, dryRun: false }).run();
    expect(objects.filter(({ outcome }) => outcome !== 'repaired')).toEqual([]);
    expect(left).toBe(0);
    expect(objects.find(({ object }) => object === blob)).toMatchObject({ fetched: 8 * 2 ** 20 });

    await flip(binding);
    expect(await scrub()).toEqual([binding]);
    expect(await new Repair({ ...parts, dryRun: false }).run()).toMatchObject({ left: 0 });
    expect(await scrub()).toEqual([]);
  });
});
