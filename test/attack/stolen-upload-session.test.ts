import { describe, expect, test } from '@jest/globals';
import { parseReleaseName } from '../../src/core/release/name.ts';
import type { Caller } from '../../src/registry/registry.ts';
import {
  ACME,
  declared,
  FILES,
  nonceOf,
  OPERATOR,
  PUBLISHER,
  RELEASE,
  useWorlds,
} from '../made/live-registry.ts';

const makeWorld = useWorlds();

/** What the credential of an upload session says, with every role that a token could claim beside. */
const SESSION: Caller = {
  subject: 'session',
  roles: ['operator', 'owner', 'publisher', 'release-manager'],
  namespace: ACME,
  session: RELEASE,
};
const OTHER = parseReleaseName('acme/tiny@v2');

describe('the credential of an upload session', () => {
  test('uploads to its draft, seals it and sees it', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const { registry } = live;
    await registry.openDraft(PUBLISHER, RELEASE);
    for (const [path, content] of Object.entries(FILES)) {
      await live.uploadFile(SESSION, RELEASE, path, content);
    }
    expect(await live.seal(SESSION, RELEASE, Object.keys(FILES))).toMatchObject({
      state: 'sealed',
    });
    expect(await registry.draftManifest(SESSION, RELEASE)).toBeInstanceOf(Uint8Array);
  });

  test('is good for no other draft', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const { registry } = live;
    await registry.openDraft(PUBLISHER, OTHER);
    const attempts = [
      () => registry.openDraft(SESSION, OTHER),
      () => registry.declareFile(SESSION, OTHER, declared('a', 'a')),
      () => registry.signParts(SESSION, OTHER, '0'.repeat(32), []),
      () => registry.noteParts(SESSION, OTHER, '0'.repeat(32), []),
      () => registry.completeUpload(SESSION, OTHER, '0'.repeat(32)),
      () => registry.seal(SESSION, OTHER, { nonce: nonceOf(1), paths: ['a'] }),
      () => registry.draftStatus(SESSION, OTHER),
      () => registry.draftManifest(SESSION, OTHER),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toThrowWithCode('not-authorised');
    }
  });

  test('neither withdraws, publishes, advises nor makes a namespace', async () => {
    const world = await makeWorld();
    const live = await world.openWithNamespace();
    const { registry } = live;
    const { digest } = await live.release(PUBLISHER, OTHER);
    const sealed = await live.push(PUBLISHER, RELEASE, FILES, nonceOf(2));
    const envelope = world.advisory(OTHER, digest, 'quality');
    const attempts = [
      () => registry.withdraw(SESSION, RELEASE),
      () => registry.publish(SESSION, RELEASE, sealed),
      () => registry.advise(SESSION, envelope),
      () => registry.createNamespace(SESSION, { policy: envelope, signed: [], override: false }),
      () =>
        registry.createNamespace(
          { ...OPERATOR, session: RELEASE },
          { policy: envelope, signed: [], override: false },
        ),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toThrowWithCode('not-authorised');
    }
  });
});
