/** What is known to be damaged is served by nobody, and the server stays ready and says so. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseReleaseName } from '../../src/core/release/name.ts';
import type { Serving } from '../../src/main.ts';
import { Damages, LIST_MS } from '../../src/registry/damages.ts';
import { releaseForm } from '../../src/registry/documents/release.ts';
import { type Key, keys, parseKey } from '../../src/store/keys.ts';
import { Disk } from '../made/memory-store.ts';
import { servePlainly } from '../made/plain-server.ts';
import { flipBit } from '../made/rot.ts';
import { filePath, Served } from '../made/served.ts';

const REFERENCE = 'acme/tiny@v1';
const FOUND = { due: { by: 'form' }, problem: 'damaged', detail: 'rot' } as const;

let served: Served;
let damages: Damages;
const servers: Serving[] = [];
beforeEach(async () => {
  served = await Served.start();
  await served.publish(REFERENCE, { 'weights.bin': new Uint8Array(1000).fill(7) });
  damages = new Damages({ store: served.store, clock: Date.now });
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  await served.stop();
});

/** Another server over the same store, which has not looked yet; asks it for a path. */
async function another(): Promise<(path: string, options?: RequestInit) => Promise<Response>> {
  const server = await servePlainly({
    store: join(served.folder, 'store'),
    keys: join(served.folder, 'keys'),
    index: join(served.folder, 'other-index'),
  });
  servers.push(server);
  return (path, options) => fetch(server.url + path, options);
}

async function blobKey(): Promise<Key> {
  const path = await served.blobOf(REFERENCE, 'weights.bin');
  return parseKey(path.slice(path.indexOf('blobs/')));
}

describe('content that is known to be damaged', () => {
  test.each([{}, { 'weighhouse-verifies': 'chunks' }, { range: 'bytes=0-9' }])(
    'is refused with its name, whoever asks (%o)',
    async (headers) => {
      const other = await another();
      const blob = await blobKey();
      await damages.record(blob, FOUND);
      const response = await other(filePath(REFERENCE, 'weights.bin'), { headers });
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('3600');
      expect(await response.json()).toMatchObject({ code: 'damaged', details: { object: blob } });
    },
  );

  test('is a manifest too', async () => {
    const other = await another();
    const record = releaseForm.parse(
      (await served.store.get(keys.release(parseReleaseName(REFERENCE))))!.bytes,
    );
    const manifest = keys.statement(record.digest);
    await damages.record(manifest, FOUND);
    const response = await other('/api/v1/releases/acme/tiny/v1/manifest.json');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ details: { object: manifest } });
  });

  test('is a signature too, whoever asks for it', async () => {
    const other = await another();
    const signature = keys.signature(parseReleaseName(REFERENCE));
    await damages.record(signature, FOUND);
    for (const path of [
      '/api/v1/releases/acme/tiny/v1/model.sig',
      '/acme/tiny/resolve/v1/model.sig',
    ])
      expect([path, (await other(path)).status]).toEqual([path, 503]);
  });
});

describe('a tile that rots', () => {
  test.each(['0', 'entries'])('is never sent, and good again once it is (%s)', async (level) => {
    const { size } = await served.log.published();
    const tile = `tile/${level}/000.p/${size}`;
    const good = await (await served.fetch(`/log/${tile}`)).bytes();
    const other = await another();
    const undo = flipBit(served.store, keys.tile(tile), 40);
    const response = await other(`/log/${tile}`);
    // The edge of the tree is held from the start of a server, where it was proved.
    if (level === '0') {
      expect(await response.bytes()).toEqual(good);
    } else {
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({
        code: 'damaged',
        details: { object: keys.tile(tile) },
      });
    }
    undo();
    const again = await other(`/log/${tile}`);
    expect(again.status).toBe(200);
    expect(await again.bytes()).toEqual(good);
  });
});

describe('the list of what is damaged', () => {
  test('that the store does not give holds up nobody who only counts', async () => {
    let now = 0;
    let hangs = false;
    const store = new Disk().open({
      pause: async ({ kind }) => (kind === 'list' && hangs ? new Promise(() => {}) : undefined),
    });
    const mine = new Damages({ store, clock: () => now });
    await mine.record(keys.blob('ab'.repeat(16)), FOUND);
    expect(await mine.current()).toBe(1);
    hangs = true;
    now += LIST_MS;
    expect(await mine.current()).toBe(1);
  });

  test('is read again when it is old, and kept when it cannot be read', async () => {
    let now = 0;
    let fails = false;
    const disk = new Disk();
    const store = disk.open({
      fault: ({ kind }) => (kind === 'list' && fails ? 'fail' : undefined),
    });
    const mine = new Damages({ store, clock: () => now });
    const theirs = new Damages({ store: disk.open(), clock: () => now });
    const blob = keys.blob('ab'.repeat(16));
    expect(await mine.has(blob)).toBe(false);
    await theirs.record(blob, FOUND);
    expect(await mine.has(blob)).toBe(false);
    now += LIST_MS;
    expect(await mine.has(blob)).toBe(true);
    expect(await mine.current()).toBe(1);
    await theirs.clear(blob);
    fails = true;
    now += LIST_MS;
    expect(await mine.has(blob)).toBe(true);
    fails = false;
    now += LIST_MS;
    expect(await mine.has(blob)).toBe(false);
  });

  test('keeps when damage was found first, and when it was seen last', async () => {
    let now = Date.UTC(2026, 0, 1);
    const list = new Damages({ store: new Disk().open(), clock: () => now });
    const blob = keys.blob('ab'.repeat(16));
    const first = await list.record(blob, FOUND);
    now += 1000;
    const second = await list.record(blob, { ...FOUND, chunks: [3] });
    expect(second).toMatchObject({ found: first.found, chunks: [3] });
    expect(second.seen > first.seen).toBe(true);
  });
});

describe('a server over a store with damage', () => {
  test('is ready, and says how many objects are damaged', async () => {
    const other = await another();
    await damages.record(keys.blob('ab'.repeat(16)), FOUND);
    const response = await other('/readyz');
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(
      'ready; damaged objects in the store: 1 (run "weighhouse repair")\n',
    );
    const metrics = await (await other('/metrics')).text();
    expect(metrics).toMatch(/^weighhouse_damaged_objects 1$/m);
  });
});
