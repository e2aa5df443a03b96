import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { parseDigest } from '../../src/core/digest.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { POLICY_PAYLOAD_TYPE } from '../../src/core/release/policy.ts';
import { verifyFreshness } from '../../src/core/verify/freshness.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { MAX_ADVISORY_BYTES } from '../../src/registry/advise.ts';
import { enrolled } from '../made/enrolment.ts';
import { ACME, caller, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';
import { makeKey } from '../made/p256.ts';

const makeWorld = useWorlds();

async function published() {
  const world = await makeWorld();
  const live = await world.openWithNamespace();
  const { digest } = await live.release(PUBLISHER, RELEASE);
  return { world, live, digest };
}

describe('an advisory', () => {
  test('is logged, readable, and shown to whoever asks what is new', async () => {
    const { world, live, digest } = await published();
    const envelope = world.advisory(RELEASE, digest, 'recalled');
    const logged = await live.registry.advise(PUBLISHER, envelope);
    expect(logged).toEqual({ index: 5, kind: 'recalled' });
    expect((await live.kinds()).slice(5)).toEqual(['advisory', 'heads']);
    expect(await live.registry.advisory(5)).toEqual(envelope);

    const freshness = await live.registry.freshness(ACME);
    const verdict = verifyFreshness(
      nodeHost,
      world.root,
      ACME,
      {
        ...freshness,
        proof: utf8(freshness.proof),
        advisories: freshness.advisories.map(({ entry, proof }) => ({ entry, proof: utf8(proof) })),
      },
      world.clock(),
    );
    expect(verdict).toMatchObject({ ok: true, advisories: [{ index: 5 }] });
  });

  test('that is sent again, also at the same time, is logged once', async () => {
    const { world, live, digest } = await published();
    const envelope = world.advisory(RELEASE, digest, 'security');
    const answers = await Promise.all(
      [1, 2, 3].map(() => live.registry.advise(PUBLISHER, envelope)),
    );
    answers.push(await live.registry.advise(PUBLISHER, envelope));
    expect(new Set(answers.map(({ index }) => index)).size).toBe(1);
    expect((await live.kinds()).filter((kind) => kind === 'advisory')).toHaveLength(1);
  });

  test('that corrects another is a new entry', async () => {
    const { world, live, digest } = await published();
    const first = world.advisory(RELEASE, digest, 'quality', { nonce: '01'.repeat(32) });
    const second = world.advisory(RELEASE, digest, 'quality', { nonce: '02'.repeat(32) });
    const one = await live.registry.advise(PUBLISHER, first);
    const other = await live.registry.advise(PUBLISHER, second);
    expect(other.index).toBeGreaterThan(one.index);
  });

  test('by a stranger’s key is refused', async () => {
    const { world, live, digest } = await published();
    for (const kind of ['recalled', 'quality'] as const) {
      const envelope = world.advisory(RELEASE, digest, kind, { key: makeKey() });
      const advise = live.registry.advise(PUBLISHER, envelope);
      await expect(advise).rejects.toThrowWithCode('signature-invalid');
    }
  });

  test('that recalls takes a release manager; others may warn', async () => {
    const world = await makeWorld();
    const live = await world.open();
    const reviewer = makeKey();
    const base = world.policy('acme');
    await live.createNamespace('acme', {
      people: [
        ...base.people,
        { id: 'rita', name: 'Rita', keys: [enrolled(reviewer, { person: 'rita' })] },
      ],
      roles: { ...base.roles, reviewer: ['rita'] },
    });
    const { digest } = await live.release(PUBLISHER, RELEASE);
    const recall = world.advisory(RELEASE, digest, 'recalled', { key: reviewer });
    const refused = live.registry.advise(PUBLISHER, recall);
    await expect(refused).rejects.toThrowWithCode('signature-invalid');
    const warning = world.advisory(RELEASE, digest, 'security', { key: reviewer });
    await live.registry.advise(caller('acme', 'reviewer'), warning);
  });

  test('is taken from people of the namespace alone', async () => {
    const { world, live, digest } = await published();
    const envelope = world.advisory(RELEASE, digest, 'recalled');
    for (const stranger of [caller('acme', 'reader'), caller('other', 'release-manager')]) {
      const advise = live.registry.advise(stranger, envelope);
      await expect(advise).rejects.toThrowWithCode('not-authorised');
    }
  });

  test('is about a release that is published here, and about its bytes', async () => {
    const { world, live, digest } = await published();
    const absent = world.advisory(parseReleaseName('acme/tiny@v2'), digest, 'recalled');
    await expect(live.registry.advise(PUBLISHER, absent)).rejects.toThrowWithCode('not-found');
    const other = parseDigest(`sha256:${'0'.repeat(64)}`);
    const wrong = world.advisory(RELEASE, other, 'recalled');
    await expect(live.registry.advise(PUBLISHER, wrong)).rejects.toThrowWithCode('bad-document');
  });

  test('must be an envelope of its own type, and not too long', async () => {
    const { world, live } = await published();
    const policy = world.sign(POLICY_PAYLOAD_TYPE, utf8('{}'));
    await expect(live.registry.advise(PUBLISHER, policy)).rejects.toThrowWithCode('bad-envelope');
    const long = new Uint8Array(MAX_ADVISORY_BYTES + 1);
    await expect(live.registry.advise(PUBLISHER, long)).rejects.toThrowWithCode('too-large');
    const atLimit = long.subarray(1);
    await expect(live.registry.advise(PUBLISHER, atLimit)).rejects.toThrowWithCode('bad-json');
  });

  test('is not found at the index of another entry', async () => {
    const { live } = await published();
    for (const index of [0, 2, 3, 100]) {
      await expect(live.registry.advisory(index)).rejects.toThrowWithCode('not-found');
    }
  });
});
