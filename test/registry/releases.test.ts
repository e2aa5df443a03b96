import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/digest.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { keys } from '../../src/store/keys.ts';
import { FILES, nonceOf, PUBLISHER, RELEASE, readAll, useWorlds } from '../made/live-registry.ts';

const makeWorld = useWorlds();

async function published() {
  const world = await makeWorld();
  const live = await world.openWithNamespace();
  const result = await live.release(PUBLISHER, RELEASE);
  return { world, live, registry: live.registry, ...result };
}

describe('a published release', () => {
  test('is described by its manifest and its place in the log', async () => {
    const { registry, digest, index } = await published();
    const release = await registry.release(RELEASE);
    expect(release).toMatchObject({ release: RELEASE, digest, index });
    expect(release?.manifest.files.map(({ path }) => path)).toEqual(Object.keys(FILES));
    const manifest = await registry.document(RELEASE, 'manifest.json');
    expect(digestOf(nodeHost, manifest)).toBe(digest);
  });

  test('shows the bytes of its files, whole and in part', async () => {
    const { registry } = await published();
    const content = await registry.content(RELEASE, 'README.md');
    const bytes = utf8(FILES['README.md'] as string);
    expect(content).toMatchObject({ path: 'README.md', size: bytes.length });
    const read = async (offset: number, length: number) =>
      readAll(await content.read({ offset, length }));
    expect(await read(0, bytes.length)).toEqual(bytes);
    expect(await read(2, 3)).toEqual(bytes.slice(2, 5));
    expect(await content.chunkList()).toEqual(nodeHost.sha256(bytes));
    expect(await registry.chunkList(RELEASE, 'README.md')).toEqual(nodeHost.sha256(bytes));
  });

  test('has no file but those of its manifest', async () => {
    const { registry } = await published();
    for (const path of ['readme.md', 'README.md/', '', '../README.md', 'none']) {
      await expect(registry.content(RELEASE, path)).rejects.toThrowWithCode('not-found');
    }
  });

  test('is told from memory once it was read; a server that reads its record damaged says so', async () => {
    const { world, registry, digest } = await published();
    const { registry: another } = await world.open();
    for (const reader of [registry, another]) await reader.release(RELEASE);
    const record = world.disk.bytes(keys.release(RELEASE)).slice();
    record[1]! ^= 1;
    world.disk.plant(keys.release(RELEASE), record);
    for (const reader of [registry, another]) {
      expect((await reader.release(RELEASE))?.digest).toBe(digest);
    }
    const { registry: later } = await world.open();
    await expect(later.release(RELEASE)).rejects.toThrowWithCode('storage');
  });

  test('is not found under a version that is not there', async () => {
    const { registry } = await published();
    const other = parseReleaseName('acme/tiny@v1');
    expect(await registry.release(other)).toBeUndefined();
    await expect(registry.document(other, 'entry')).rejects.toThrowWithCode('not-found');
  });

  test('has documents that stay the same, but for the checkpoint in its proofs', async () => {
    const { live, registry } = await published();
    const fixed = ['manifest.json', 'release.dsse', 'entry'] as const;
    const read = () => Promise.all(fixed.map((name) => registry.document(RELEASE, name)));
    const before = await read();
    const proof = await registry.document(RELEASE, 'release.tlog-proof');
    expect(await registry.document(RELEASE, 'release.tlog-proof')).toEqual(proof);
    const next = parseReleaseName('acme/tiny@v2');
    await live.release(PUBLISHER, next, { 'a.txt': 'a' }, nonceOf(2));
    expect(await read()).toEqual(before);
    expect(await registry.document(RELEASE, 'release.tlog-proof')).not.toEqual(proof);
  });

  test('whose manifest rotted in the store is not shown', async () => {
    const { world, registry, digest } = await published();
    const key = `statements/sha256/${digest.slice(7)}`;
    const damaged = world.disk.bytes(key).slice();
    damaged[10]! ^= 1;
    world.disk.plant(key, damaged);
    await expect(registry.document(RELEASE, 'manifest.json')).rejects.toThrowWithCode('storage');
    world.disk.objects.delete(key);
    await expect(registry.document(RELEASE, 'manifest.json')).rejects.toThrowWithCode('storage');
  });

  test('whose chunk list rotted in the store does not show it', async () => {
    const { world, registry } = await published();
    const [key] = [...world.disk.objects.keys()].filter((each) => each.startsWith('chunks/'));
    world.disk.plant(key!, new Uint8Array(32));
    const lists = ['README.md', 'config.json'].map((path) => registry.chunkList(RELEASE, path));
    const outcomes = await Promise.allSettled(lists);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toMatchObject([{ reason: { code: 'storage' } }]);
  });
});
