/** Servers over one store: what one has committed the others know, though their own logs are behind. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { formatDigest } from '../../src/core/digest.ts';
import { ACME, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';
import { ONE_APPROVAL, openGated } from '../made/team.ts';

const makeWorld = useWorlds();

describe('a server that has committed nothing itself', () => {
  test('knows a namespace that another one has begun, and pushes and publishes in it', async () => {
    const world = await makeWorld();
    const [other, server] = [await world.open(), await world.open()];
    await other.createNamespace('acme');
    expect((await server.registry.policy(ACME)).index).toBe(0);
    const digest = await server.push(PUBLISHER, RELEASE);
    expect(await server.registry.draftStatus(PUBLISHER, RELEASE)).toMatchObject({ policyIndex: 0 });
    expect(await server.registry.publish(PUBLISHER, RELEASE, digest)).toMatchObject({ digest });
  });

  test('goes by the policy that another one has logged last', async () => {
    const world = await makeWorld();
    const { live: other, team } = await openGated(world, ONE_APPROVAL);
    const server = await world.open();
    await other.push(team.pat, RELEASE);
    const gate = { approvals: [{ role: 'reviewer', count: 2 }] } as const;
    const stricter = team.signPolicy(
      team.policy({ approvals: [...gate.approvals] }, { version: 2 }),
      'olga',
    );
    const { index } = await other.registry.setPolicy(team.member, stricter);
    expect((await server.registry.policy(ACME)).index).toBe(index);
    const status = await server.registry.draftStatus(team.pat, RELEASE);
    expect(status).toMatchObject({ policyIndex: index });
  });

  test('takes an intent whose signer has seen what another one has published', async () => {
    const world = await makeWorld();
    const { live: other, team } = await openGated(world, ONE_APPROVAL);
    const server = await world.open();
    await other.push(team.pat, RELEASE);
    await team.decide(other, 'rita', { decision: 'approve' });
    const { size, root } = await other.reader.published();
    const checkpoint = { size, root: formatDigest(root) };
    const about = { context: { checkpoint } };
    const { envelope } = await team.signed(other, 'max', { decision: 'publish' }, about);
    const { digest } = await server.registry.draftStatus(team.pat, RELEASE);
    const published = server.registry.publish(team.pat, RELEASE, digest, envelope);
    expect(await published).toMatchObject({ digest });
  });

  test('answers a publish that another one had logged when it died, and shows it as soon as it is public', async () => {
    const world = await makeWorld();
    const server = await world.openWithNamespace();
    const digest = await server.push(PUBLISHER, RELEASE);
    let isDead = false;
    const dying = await world.open({
      fault: ({ kind, key }) => {
        isDead ||= kind === 'swap' && key === 'log/checkpoint';
        return isDead ? 'die-before' : undefined;
      },
    });
    void dying.registry.publish(PUBLISHER, RELEASE, digest).catch(() => {});
    while (!isDead) await setImmediate();
    world.bury(dying);
    const answer = await server.registry.publish(PUBLISHER, RELEASE, digest);
    expect(answer).toMatchObject({ digest, index: 2, published: false });
    expect(await server.registry.release(RELEASE)).toBeUndefined();
    // Nobody does anything: the server notices by itself that the log has grown.
    while ((await server.registry.release(RELEASE)) === undefined) await setImmediate();
    const again = await server.registry.publish(PUBLISHER, RELEASE, digest);
    expect(again).toMatchObject({ index: 2, published: true });
  });
});
