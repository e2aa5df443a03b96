import { describe, expect, test } from '@jest/globals';
import {
  MAX_MODEL_LENGTH,
  NEWLY_RESERVED_NAMESPACES,
  parseNamespace,
  parseReleaseName,
} from '../../src/core/release/name.ts';
import { formatPolicy, POLICY_PAYLOAD_TYPE } from '../../src/core/release/policy.ts';
import { openEnvelope, parseEnvelope } from '../../src/core/statement/dsse.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { DEFAULT_POOL_LIMIT, LATE_ITEM } from '../../src/log/pool.ts';
import { headsForm } from '../../src/registry/documents/heads.ts';
import { MAX_NAMESPACES } from '../../src/registry/namespaces.ts';
import { DEFAULT_MAX_BYTES } from '../../src/store/contract.ts';
import { enrolled } from '../made/enrolment.ts';
import { ACME, caller, OPERATOR, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';

const makeWorld = useWorlds();
/** Some tests read and write the heads of 100,000 namespaces a few times. */
const MANY_NAMESPACES_MS = 60_000;

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

  test('of a name that was reserved later does not begin, and goes on where it had begun', async () => {
    const world = await makeWorld();
    const before = await world.open();
    await expect(before.createNamespace('token')).rejects.toThrowWithCode('bad-name');
    const reserved = NEWLY_RESERVED_NAMESPACES as Set<string>;
    reserved.delete('token');
    const begun = await before.createNamespace('token');
    reserved.add('token');
    await before.close();

    const after = await world.open();
    expect(await after.createNamespace('token')).toEqual(begun);
    const release = parseReleaseName('token/tiny@v1');
    await after.release(caller('token', 'publisher'), release);
    expect(await after.registry.release(release)).toBeDefined();
    expect(await after.registry.policy(parseNamespace('token'))).toMatchObject({ index: 0 });
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

describe('the number of namespaces', () => {
  /** A heads document over so many namespaces with names of that length. */
  function headsOf(count: number, length: number): Uint8Array {
    const names = Array.from({ length: count }, (_, i) => `${i}`.padStart(length, 'n'));
    const leaves = Object.fromEntries(names.map((name) => [name, 'ab'.repeat(32)]));
    const time = '2026-01-01T00:00:00.000Z';
    return headsForm.format({ v: 1, index: 1, time, leaves });
  }

  test('at the limit, with what one batch can begin on top of it, fits in the heads document', () => {
    // Their entries are made late: the pool weighs them by the most that these may have.
    const inOneBatch = Math.ceil(DEFAULT_POOL_LIMIT.bytes / LATE_ITEM.bytes);
    const bytes = headsOf(MAX_NAMESPACES + inOneBatch, MAX_MODEL_LENGTH);
    // Its index may grow.
    expect(bytes.length + 16).toBeLessThanOrEqual(DEFAULT_MAX_BYTES);
  });

  test(
    'is limited, and those that are there go on',
    async () => {
      const live = await (await makeWorld()).openWithNamespace();
      live.world.disk.plant('heads', headsOf(MAX_NAMESPACES - 1, 5));
      await live.createNamespace('last');
      await expect(live.createNamespace('toomany')).rejects.toThrowWithCode('too-large');
      await live.release(caller('last', 'publisher'), parseReleaseName('last/tiny@v1'));
    },
    MANY_NAMESPACES_MS,
  );
});
