import { describe, expect, test } from '@jest/globals';
import { DOCUMENT_NAMES } from '../../src/core/release/documents.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { caller, type LiveRegistry, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';

const makeWorld = useWorlds();

/** Nothing of the release is to be had by anybody. */
async function expectUnreadable({ registry }: LiveRegistry): Promise<void> {
  expect(await registry.release(RELEASE)).toBeUndefined();
  for (const document of DOCUMENT_NAMES) {
    await expect(registry.document(RELEASE, document)).rejects.toThrowWithCode('not-found');
  }
  await expect(registry.content(RELEASE, 'README.md')).rejects.toThrowWithCode('not-found');
  await expect(registry.chunkList(RELEASE, 'README.md')).rejects.toThrowWithCode('not-found');
}

describe('nothing unpublished is readable', () => {
  test('of a draft', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    await live.upload(PUBLISHER, RELEASE, { 'README.md': 'not yet' });
    await expectUnreadable(live);
  });

  test('of a sealed draft', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    await live.push(PUBLISHER, RELEASE);
    await expectUnreadable(live);
  });

  test('of a release that is logged and still awaits its witnesses', async () => {
    const world = await makeWorld();
    await (await world.openWithNamespace()).close();
    const live = await world.open({}, { cosign: async () => undefined, patience: 0 });
    await live.release(PUBLISHER, RELEASE);
    await expectUnreadable(live);
  });

  test('through another release that is published', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const other = parseReleaseName('acme/tiny@v0.9');
    await live.release(PUBLISHER, other, { 'a.txt': 'published' });
    await live.push(PUBLISHER, RELEASE, { 'README.md': 'not yet' });
    const read = live.registry.content(other, 'README.md');
    await expect(read).rejects.toThrowWithCode('not-found');
  });

  test('by a token of another namespace, whether or not the draft is there', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    await live.push(PUBLISHER, RELEASE);
    const stranger = caller('mallory', 'owner', 'publisher', 'reader');
    const absent = parseReleaseName('acme/none@v1');
    for (const release of [RELEASE, absent]) {
      const status = live.registry.draftStatus(stranger, release);
      await expect(status).rejects.toThrowWithCode('not-authorised');
      const manifest = live.registry.draftManifest(stranger, release);
      await expect(manifest).rejects.toThrowWithCode('not-authorised');
    }
  });

  test('but by its own people before, and by everybody after it is published', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const digest = await live.push(PUBLISHER, RELEASE);
    const reader = live.registry.draftManifest(caller('acme', 'reader'), RELEASE);
    await expect(reader).rejects.toThrowWithCode('not-authorised');
    const manifest = await live.registry.draftManifest(caller('acme', 'reviewer'), RELEASE);
    await live.registry.publish(PUBLISHER, RELEASE, digest);
    expect(await live.registry.document(RELEASE, 'manifest.json')).toEqual(manifest);
  });
});
