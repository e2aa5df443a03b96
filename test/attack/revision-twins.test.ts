/**
 * To Hugging Face clients the first 40 digits of a digest are a revision: it must mean one
 * release of a model, for ever. Nobody finds two digests that begin alike today; should
 * somebody, the second is not logged.
 */
import { expect, test } from '@jest/globals';
import type { Digest } from '../../src/core/digest.ts';
import { revisionForm } from '../../src/registry/documents/release.ts';
import {
  FILES,
  nonceOf,
  PUBLISHER,
  RELEASE,
  useWorlds,
  type World,
} from '../made/live-registry.ts';

const makeWorld = useWorlds();

/** Makes it look as if an earlier release of the model had a digest that begins like this one. */
function publishTwin(world: World, digest: Digest): void {
  const short = digest.slice(7, 47);
  const twin = `sha256:${short}${'0'.repeat(24)}` as Digest;
  const record = revisionForm.format({ v: 1, release: 'acme/tiny@v0.9', digest: twin });
  world.disk.plant(`revisions/acme/tiny/${short}`, record);
}

test('a release whose digest begins like that of another is not logged, and can be pushed anew', async () => {
  const world = await makeWorld();
  const live = await world.openWithNamespace();
  const digest = await live.push(PUBLISHER, RELEASE);
  publishTwin(world, digest);
  const publish = live.registry.publish(PUBLISHER, RELEASE, digest);
  await expect(publish).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('push anew'),
  });
  expect(await live.kinds()).not.toContain('release');
  const status = await live.registry.draftStatus(PUBLISHER, RELEASE);
  expect(status).toMatchObject({ state: 'sealed', digest });

  const again = await live.release(PUBLISHER, RELEASE, FILES, nonceOf(2));
  expect(again.digest).not.toBe(digest);
  expect(await live.kinds()).toContain('release');
});
