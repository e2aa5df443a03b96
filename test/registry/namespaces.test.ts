import { describe, expect, test } from '@jest/globals';
import { formatPolicy, POLICY_PAYLOAD_TYPE } from '../../src/core/release/policy.ts';
import { openEnvelope, parseEnvelope } from '../../src/core/statement/dsse.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { enrolled } from '../made/enrolment.ts';
import { ACME, OPERATOR, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';

const makeWorld = useWorlds();

describe('a namespace', () => {
  test('begins with its policy, signed by its owner and countersigned by the registry', async () => {
    const world = await makeWorld();
    const { registry } = await world.openWithNamespace();
    const { index, policy, signed } = await registry.policy(ACME);
    expect(index).toBe(0);
    expect(policy).toEqual(formatPolicy(world.policy('acme')));
    expect(signed).toHaveLength(2);
    for (const [i, key] of [world.owner, world.releaseKey].entries()) {
      const envelope = parseEnvelope(signed[i]!);
      expect(envelope.payload).toEqual(policy);
      expect(await openEnvelope(nodeHost, envelope, key.spki)).toMatchObject({ ok: true });
    }
  });

  test('shows a policy by its index, and none at another entry’s', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    await live.createNamespace('other');
    await live.release(PUBLISHER, RELEASE);
    expect(await live.registry.policy(ACME, 0)).toEqual(await live.registry.policy(ACME));
    for (const index of [1, 2, 4, 1000]) {
      await expect(live.registry.policy(ACME, index)).rejects.toThrowWithCode('not-found');
    }
  });

  test('asked for twice at once, with the same policy, is answered twice with its index', async () => {
    const live = await (await makeWorld()).open();
    const asked = Array.from({ length: 3 }, () => live.createNamespace('acme'));
    expect(await Promise.all(asked)).toEqual(asked.map(() => ({ namespace: 'acme', index: 0 })));
    expect((await live.kinds()).filter((kind) => kind === 'namespace')).toHaveLength(1);
  });

  test('asked for at two servers at once is answered by both', async () => {
    const world = await makeWorld();
    const servers = [await world.open(), await world.open()];
    const asked = servers.map((live) => live.createNamespace('acme'));
    expect(await Promise.all(asked)).toEqual(asked.map(() => ({ namespace: 'acme', index: 0 })));
  });

  test('that is not there has no policy and no freshness', async () => {
    const { registry } = await (await makeWorld()).open();
    await expect(registry.policy(ACME)).rejects.toThrowWithCode('not-found');
    await expect(registry.freshness(ACME)).rejects.toThrowWithCode('not-found');
  });

  test.each([
    ['another registry', { origin: 'other.example' }],
    ['a later version', { version: 2 }],
    ['a reserved name', { namespace: 'api' }],
  ])('does not begin with a policy of %s', async (_, changes) => {
    const world = await makeWorld();
    const live = await world.open();
    const create = async () => live.createNamespace('acme', changes);
    await expect(create()).rejects.toMatchObject({
      code: expect.stringMatching(/^bad-(document|name)$/),
    });
    expect(await live.kinds()).toEqual([]);
  });

  test('does not begin with a key whose holder has not enrolled it as that person there', async () => {
    const world = await makeWorld();
    const live = await world.open();
    const key = enrolled(world.owner, { namespace: 'other' });
    const people = [{ id: 'owner', name: 'Owner', keys: [key] }];
    await expect(live.createNamespace('acme', { people })).rejects.toThrowWithCode(
      'signature-invalid',
    );
    expect(await live.kinds()).toEqual([]);
  });

  test('takes no more envelopes than a request may bring', async () => {
    const world = await makeWorld();
    const { registry } = await world.open();
    const policy = formatPolicy(world.policy('acme'));
    const envelope = world.sign(POLICY_PAYLOAD_TYPE, policy);
    const create = (signatures: number) =>
      registry.createNamespace(OPERATOR, {
        policy,
        signed: Array.from({ length: signatures }, () => envelope),
        override: false,
      });
    await expect(create(65)).rejects.toThrowWithCode('too-large');
    await create(64);
  });
});
