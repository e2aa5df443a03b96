import { describe, expect, test } from '@jest/globals';
import { parseDigest } from '../../src/core/digest.ts';
import { declared, nonceOf, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';

const makeWorld = useWorlds();
const PAIR = ['release', 'hashedrekord'];

describe('a release is logged once', () => {
  test('publishing it again gives the same answer and logs nothing', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const first = await live.release(PUBLISHER, RELEASE);
    const again = await live.registry.publish(PUBLISHER, RELEASE, first.digest);
    expect(again).toEqual(first);
    expect(pairs(await live.kinds())).toEqual(PAIR);
  });

  test('publishing it at the same time, in one process and in two, logs one pair of leaves', async () => {
    const world = await makeWorld();
    const live = await world.openWithNamespace();
    const other = await world.open();
    const digest = await live.push(PUBLISHER, RELEASE);
    const answers = await Promise.all(
      [live, other, live, other, live, other].map(({ registry }) =>
        registry.publish(PUBLISHER, RELEASE, digest),
      ),
    );
    expect(new Set(answers.map(({ index }) => index)).size).toBe(1);
    expect(pairs(await live.kinds())).toEqual(PAIR);
  });

  test('under another digest it is refused', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    await live.release(PUBLISHER, RELEASE);
    const other = parseDigest(`sha256:${'0'.repeat(64)}`);
    const publish = live.registry.publish(PUBLISHER, RELEASE, other);
    await expect(publish).rejects.toThrowWithCode('already-published');
  });

  test('it can never be pushed, sealed or withdrawn again', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const { registry } = live;
    const { digest } = await live.release(PUBLISHER, RELEASE);
    const attempts = [
      () => registry.openDraft(PUBLISHER, RELEASE),
      () => registry.declareFile(PUBLISHER, RELEASE, declared('new.txt', 'new')),
      () => registry.seal(PUBLISHER, RELEASE, { nonce: nonceOf(2), paths: ['README.md'] }),
      () => registry.withdraw(PUBLISHER, RELEASE),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toThrowWithCode('already-published');
    }
    expect(await registry.release(RELEASE)).toMatchObject({ digest });
  });

  test('not even when the draft of it is lost', async () => {
    const world = await makeWorld();
    const live = await world.openWithNamespace();
    await live.release(PUBLISHER, RELEASE);
    world.disk.objects.delete('private/drafts/acme/tiny/v1.0/head');
    const open = live.registry.openDraft(PUBLISHER, RELEASE);
    await expect(open).rejects.toThrowWithCode('already-published');
  });
});

function pairs(kinds: readonly string[]): string[] {
  return kinds.filter((kind) => PAIR.includes(kind));
}
