/** The whole way: a real server, real uploads, and an auditor with threads. */

import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Api } from '../../src/client/api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { MemoryPins } from '../../src/client/pins.ts';
import type { Reader } from '../../src/client/release.ts';
import { introduce, trust } from '../../src/client/trust.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { keys } from '../../src/store/keys.ts';
import { auditRegistry } from '../../src/transfer/audit/audit.ts';
import { flipped } from '../made/audited.ts';
import { NO_PAUSES } from '../made/reader.ts';
import { makeSafetensors } from '../made/safetensors.ts';
import { Served } from '../made/served.ts';

const TINY = 'acme/tiny@v1';

let served: Served;
let reader: Reader;

beforeEach(async () => {
  served = await Served.start();
  await served.publish(TINY, {
    'README.md': 'Hello.',
    empty: '',
    'model.safetensors': makeSafetensors({ w: { dtype: 'F32', shape: [2] } }),
  });
  const api = new Api({ url: parseRegistryUrl(served.url), pauses: NO_PAUSES });
  const pins = new MemoryPins();
  const first = await introduce(nodeHost, pins, (version) => api.root(version));
  await trust(pins, first, served.fingerprint, served.url);
  reader = { host: nodeHost, api, pins, clock: Date.now };
});
afterEach(() => served.stop());

/** Of a server of the same registry that has read nothing yet: what one has read, it goes on to tell. */
async function readerOfAnother(): Promise<Reader> {
  const another = await served.startAnother();
  const there: typeof fetch = (url, init) => fetch(String(url).replace(served.url, another), init);
  const url = parseRegistryUrl(served.url);
  return { ...reader, api: new Api({ url, pauses: NO_PAUSES, fetch: there }) };
}

describe('the audit of a server', () => {
  test('finds it good, with all its content', async () => {
    const seen: string[] = [];
    const report = await auditRegistry(reader, {
      content: true,
      onContent: ({ file }) => seen.push(file!),
    });
    expect(report).toMatchObject({ ok: true, releases: 1, violations: [] });
    expect(new Set(seen)).toEqual(new Set(['README.md', 'model.safetensors']));
  });

  test('finds a byte that changed in the store', async () => {
    const path = await served.blobOf(TINY, 'model.safetensors');
    await writeFile(path, flipped(await readFile(path), 60));
    expect((await auditRegistry(reader)).ok).toBe(true);
    const { violations } = await auditRegistry(reader, { content: true });
    expect(violations).toMatchObject([{ code: 'digest-mismatch' }]);
    expect(violations[0]!.message).toContain('model.safetensors');
  });

  test('calls a tile that changed in the store a failure of the log, not of content', async () => {
    const entries = join(served.folder, 'store', 'objects', 'log', 'tile', 'entries');
    for (const name of await readdir(entries, { recursive: true })) {
      const path = join(entries, name);
      if (!(await stat(path)).isFile()) continue;
      await chmod(path, 0o600);
      await writeFile(path, flipped(await readFile(path), 40));
    }
    const { violations } = await auditRegistry(reader);
    expect(violations).toMatchObject([{ code: 'bad-tile' }]);
  });

  test('names a document that is damaged or missing in the store, and goes on', async () => {
    const stored = join(served.folder, 'store', 'objects');
    const record = join(stored, 'releases', 'acme', 'tiny', 'v1');
    const { digest } = (await served.registry.release(parseReleaseName(TINY)))!;
    const manifest = join(stored, keys.statement(digest));
    await served.publish('acme/tiny@v2', { 'README.md': 'Hello again.' });
    for (const [path, name] of [
      [record, 'release.dsse'],
      [manifest, 'manifest.json'],
    ] as const) {
      const bytes = new Uint8Array(await readFile(path));
      await chmod(path, 0o600);
      for (const spoil of [() => writeFile(path, flipped(bytes, 1)), () => rm(path)]) {
        await spoil();
        const { violations, releases } = await auditRegistry(await readerOfAnother());
        expect(violations).toMatchObject([{ code: 'digest-mismatch' }]);
        expect(violations[0]!.message).toMatch(new RegExp(`${name}.* of ${TINY}`));
        expect(releases).toBe(2);
      }
      await writeFile(path, bytes);
    }
    expect((await auditRegistry(await readerOfAnother())).violations).toEqual([]);
  });

  test('finds such a byte also in a release that an earlier audit left in its state', async () => {
    const { state, size } = await auditRegistry(reader);
    const path = await served.blobOf(TINY, 'model.safetensors');
    await writeFile(path, flipped(await readFile(path), 60));
    expect(await auditRegistry(reader, { state })).toMatchObject({ ok: true, from: size });
    const report = await auditRegistry(reader, { state, content: true });
    expect(report).toMatchObject({ from: 0, violations: [{ code: 'digest-mismatch' }] });
  });

  test('reads all content each time, whatever an earlier audit has read', async () => {
    const { state } = await auditRegistry(reader, { content: true });
    await served.publish('acme/tiny@v2', { 'NOTES.md': 'Hello again.' });
    const seen = new Set<string>();
    const report = await auditRegistry(reader, {
      state,
      content: true,
      onContent: ({ file }) => seen.add(file!),
    });
    expect(report).toMatchObject({ ok: true, from: 0, releases: 2 });
    expect(seen).toEqual(new Set(['README.md', 'model.safetensors', 'NOTES.md']));
  });

  test('goes on from its state', async () => {
    const { state, size } = await auditRegistry(reader);
    await served.publish('acme/tiny@v2', { 'README.md': 'Hello again.' });
    const report = await auditRegistry(reader, { state });
    expect(report).toMatchObject({ ok: true, releases: 2, from: size });
  });
});
