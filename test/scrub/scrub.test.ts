/** Rot in every kind of object is found, named and kept from being served. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { Damages } from '../../src/registry/damages.ts';
import { KINDS, type Kind } from '../../src/scrub/kinds.ts';
import { Scrub, type ScrubParts } from '../../src/scrub/scrub.ts';
import type { Store } from '../../src/store/contract.ts';
import { openDirectory } from '../../src/store/directory.ts';
import { type Key, keys } from '../../src/store/keys.ts';
import { drawHolder, FullStore } from '../made/full-store.ts';
import { flipBit } from '../made/rot.ts';

let folder: string;
let store: Store;
let full: FullStore;
let hashing: HashingPool;
let damages: Damages;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-scrub-'));
  await mkdir(join(folder, 'store'));
  store = await openDirectory(join(folder, 'store'), { create: true });
  hashing = new HashingPool();
  full = await FullStore.make(store, folder);
  damages = new Damages({ store, clock: Date.now });
});
afterAll(async () => {
  await full?.close();
  await hashing.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const parts = (more: Partial<ScrubParts> = {}): ScrubParts => ({
  ...{ store, host: nodeHost, hashing, damages, holder: drawHolder(), clock: Date.now },
  signal: new AbortController().signal,
  sleep: async () => {},
  ...more,
});

async function scrub(more: Partial<ScrubParts> = {}) {
  return new Scrub(parts(more)).run({ fresh: true });
}

async function damagedObjects(): Promise<Key[]> {
  const found: Key[] = [];
  for await (const { object } of damages.records()) found.push(object);
  return found.sort();
}

jest.setTimeout(60_000);

describe('a store without damage', () => {
  test('has an object of every kind, and a scrub finds nothing wrong with any', async () => {
    for (const kind of Object.keys(keys) as Kind[]) {
      if (kind === 'damaged' || kind === 'scrub') continue;
      expect([kind, full.keys.get(kind)?.length ?? 0]).not.toEqual([kind, 0]);
    }
    const report = await scrub();
    expect(await damagedObjects()).toEqual([]);
    expect(report.pass).toMatchObject({ pass: 1, damaged: 0 });
    expect(report.pass.ended).toBeDefined();
    expect(report.bytes).toBeGreaterThan(16 * 2 ** 20);
  });
});

describe('one bit that flipped', () => {
  const kinds = (Object.keys(KINDS) as Kind[]).filter(
    (kind) => KINDS[kind].care !== 'passing' && kind !== 'scrub' && kind !== 'damaged',
  );

  test.each(kinds)('in a %s is found and named', async (kind) => {
    // Tiles of hashes and bundles of entries, envelopes and manifests: some kinds are two.
    const count = kind === 'tile' || kind === 'statement' ? 2 : 1;
    for (const key of full.keys.get(kind)!.slice(0, count)) {
      // A document in a directory has a checksum; elsewhere its form is all there is.
      const undo = flipBit(store, key, KINDS[kind].care === 'private' ? 0 : undefined);
      await scrub();
      const found = await damagedObjects();
      undo();
      expect(found).toEqual([key]);
      const { healed } = await scrub();
      expect(healed).toEqual([key]);
      expect(await damagedObjects()).toEqual([]);
    }
  });
});
