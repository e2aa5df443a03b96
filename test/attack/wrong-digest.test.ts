import { describe, expect, test } from '@jest/globals';
import { parseDigest } from '../../src/core/digest.ts';
import { nonceOf, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';

const makeWorld = useWorlds();

describe('only the digest that is sealed can be published', () => {
  test('another digest, and no digest, are refused and leave the draft sealed', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const { registry } = live;
    const digest = await live.push(PUBLISHER, RELEASE);
    for (const named of [parseDigest(`sha256:${'0'.repeat(64)}`), undefined]) {
      const publish = registry.publish(PUBLISHER, RELEASE, named);
      await expect(publish).rejects.toThrowWithCode('gate-unmet');
    }
    expect(await registry.draftStatus(PUBLISHER, RELEASE)).toMatchObject({
      state: 'sealed',
      digest,
    });
    expect(await live.kinds()).not.toContain('release');
  });

  test('the digest of an earlier revision is refused', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    const first = await live.push(PUBLISHER, RELEASE, { 'a.txt': 'one' }, nonceOf(1));
    const second = await live.push(PUBLISHER, RELEASE, { 'a.txt': 'two' }, nonceOf(2));
    const stale = live.registry.publish(PUBLISHER, RELEASE, first);
    await expect(stale).rejects.toThrowWithCode('gate-unmet');
    expect(await live.registry.publish(PUBLISHER, RELEASE, second)).toMatchObject({
      digest: second,
    });
  });
});
