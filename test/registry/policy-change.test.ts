import { describe, expect, test } from '@jest/globals';
import { POLICY_PAYLOAD_TYPE } from '../../src/core/release/policy.ts';
import { enrolled } from '../made/enrolment.ts';
import { ACME, caller, RELEASE, useWorlds } from '../made/live-registry.ts';
import { makeKey } from '../made/p256.ts';
import { ONE_APPROVAL, openGated } from '../made/team.ts';

const makeWorld = useWorlds();
const DAY = 24 * 3600;
const TWO_APPROVALS = { approvals: [{ role: 'reviewer', count: 2 }] } as const;

async function gated(changes: Parameters<typeof openGated>[2] = {}) {
  const world = await makeWorld();
  return { world, ...(await openGated(world, ONE_APPROVAL, changes)) };
}

describe('a change of a policy', () => {
  test('that is stricter is in force at once, and answered twice the same', async () => {
    const { live, team } = await gated({ delay: DAY });
    const gate = { approvals: [...TWO_APPROVALS.approvals] };
    const change = team.signPolicy(team.policy(gate, { version: 2, delay: DAY }), 'otto');
    const logged = await live.registry.setPolicy(team.member, change);
    expect(logged).toMatchObject({ index: 2, version: 2 });
    expect(await live.registry.setPolicy(team.member, change)).toEqual(logged);
    expect(await live.kinds()).toEqual(['namespace', 'heads', 'policy', 'heads']);
    expect((await live.registry.policy(ACME)).index).toBe(2);
    const versions = await live.registry.policies(ACME);
    expect(versions.map(({ index, version }) => [index, version])).toEqual([
      [0, 1],
      [2, 2],
    ]);
    expect((await live.entries())[2]).toMatchObject({ time: logged.inForceAt });
    await live.push(team.pat, RELEASE);
    await team.decide(live, 'rita', { decision: 'approve' });
    await expect(team.publish(live)).rejects.toThrowWithCode('gate-unmet');
  });

  test('that is looser clears nothing before its delay', async () => {
    const { world, live, team } = await gated({ delay: DAY });
    await live.push(team.pat, RELEASE);
    const solo = team.signPolicy(team.policy({}, { version: 2, delay: DAY }), 'olga');
    const { index, inForceAt } = await live.registry.setPolicy(team.member, solo);
    const { time } = (await live.entries())[index]!;
    expect(Date.parse(inForceAt) - Date.parse(String(time))).toBe(DAY * 1000);
    expect((await live.registry.policy(ACME)).index).toBe(0);
    await expect(team.publish(live)).rejects.toThrowWithCode('gate-unmet');
    world.pass(DAY * 1000);
    const status = await live.registry.draftStatus(team.pat, RELEASE);
    expect(status).toMatchObject({ policyIndex: index, missing: [] });
    await live.registry.publish(team.pat, RELEASE, status.digest);
    const release = (await live.entries()).find(({ kind }) => kind === 'release');
    expect(release).toMatchObject({ policy: index, decisions: expect.any(String) });
  });

  test('is refused when too few owners sign it, one of them twice, or a stranger', async () => {
    const { live, team } = await gated({ owners: 2 });
    const policy = team.policy(ONE_APPROVAL, { version: 2, owners: 2, delay: 5 });
    const set = (...owners: ('olga' | 'otto' | 'rita')[]) =>
      live.registry.setPolicy(team.member, team.signPolicy(policy, ...owners));
    await expect(set('olga')).rejects.toThrowWithCode('signature-invalid');
    await expect(set('olga', 'olga')).rejects.toThrowWithCode('signature-invalid');
    await expect(set('olga', 'rita')).rejects.toThrowWithCode('signature-invalid');
    expect(await live.kinds()).not.toContain('policy');
    await set('olga', 'otto');
  });

  test('is judged by the owners in force, not by those it names itself', async () => {
    const { live, team } = await gated();
    const policy = team.policy(ONE_APPROVAL, { version: 2 });
    const roles = { ...policy.roles, owner: ['rita'] };
    const mutiny = team.signPolicy({ ...policy, roles }, 'rita');
    const set = live.registry.setPolicy(team.member, mutiny);
    await expect(set).rejects.toThrowWithCode('signature-invalid');
  });

  test('is refused out of its turn, in another namespace, and by a token of another one', async () => {
    const { live, team } = await gated();
    const later = team.signPolicy(team.policy(ONE_APPROVAL, { version: 3 }), 'olga');
    const skipped = live.registry.setPolicy(team.member, later);
    await expect(skipped).rejects.toThrowWithCode('conflict');
    const next = team.signPolicy(team.policy(ONE_APPROVAL, { version: 2, delay: 1 }), 'olga');
    const foreign = live.registry.setPolicy(caller('other', 'owner'), next);
    await expect(foreign).rejects.toThrowWithCode('not-authorised');
    const policy = team.signPolicy(team.policy(ONE_APPROVAL, { version: 2 }), 'olga').policy;
    const signed = [team.sign('olga', POLICY_PAYLOAD_TYPE, next.policy)];
    const swapped = live.registry.setPolicy(team.member, { namespace: ACME, policy, signed });
    await expect(swapped).rejects.toThrowWithCode('bad-envelope');
  });

  test('that revokes a key acts at once on approvals, and not on a standing objection', async () => {
    const { live, team } = await gated({ delay: DAY });
    await live.push(team.pat, RELEASE);
    await team.decide(live, 'rita', { decision: 'approve' });
    await team.decide(live, 'rob', { decision: 'object', reason: 'No' });
    const before = team.policy(ONE_APPROVAL, { version: 2, delay: DAY });
    const people = before.people.map((person) =>
      ['rita', 'rob'].includes(person.id)
        ? { ...person, keys: person.keys.map((key) => ({ ...key, revoked: true as const })) }
        : person,
    );
    await live.registry.setPolicy(team.member, team.signPolicy({ ...before, people }, 'olga'));
    expect(await team.needs(live)).toEqual(['objection', 'approval', 'intent']);
    const signed = await team.signed(live, 'rita', { decision: 'approve' });
    const { index } = await live.registry.commit(team.member, signed);
    await expect(team.open(live, index, signed)).rejects.toThrowWithCode('untrusted');
  });

  test('makes no earlier decision of the key that it enrols or revokes: the log’s order counts', async () => {
    const { live, team } = await gated();
    await live.push(team.pat, RELEASE);
    const young = makeKey();
    const early = await team.signed(live, 'rob', { decision: 'approve' }, { key: young });
    const { index } = await live.registry.commit(team.member, early);
    await expect(team.open(live, index, early)).rejects.toThrowWithCode('untrusted');
    const policy = team.policy(ONE_APPROVAL, { version: 2 });
    const people = policy.people.map((person) =>
      person.id === 'rob'
        ? { ...person, keys: [...person.keys, enrolled(young, { person: 'rob' })] }
        : person.id === 'rita'
          ? { ...person, keys: person.keys.map((key) => ({ ...key, revoked: true as const })) }
          : person,
    );
    await live.registry.setPolicy(team.member, team.signPolicy({ ...policy, people }, 'olga'));
    await expect(team.open(live, index, early)).rejects.toThrowWithCode('untrusted');
    // Now it is known whose label that is: it blocks until the owners void it.
    expect(await team.needs(live)).toEqual(['unopened', 'approval', 'intent']);
    // Its signer says that it was signed long before the key was revoked.
    const context = { time: '2020-01-01T00:00:00.000Z' };
    const backdated = await team.signed(live, 'rita', { decision: 'approve' }, { context });
    const logged = await live.registry.commit(team.member, backdated);
    await expect(team.open(live, logged.index, backdated)).rejects.toThrowWithCode('untrusted');
  });

  test('whose key has no proof of its holder is refused', async () => {
    const { live, team } = await gated();
    const policy = team.policy(ONE_APPROVAL, { version: 2 });
    const [olga, ...others] = policy.people;
    const stolen = { ...olga!.keys[0]!, spki: Buffer.from(makeKey().spki).toString('base64') };
    const people = [{ ...olga!, keys: [stolen] }, ...others];
    const change = team.signPolicy({ ...policy, people }, 'olga');
    const set = live.registry.setPolicy(team.member, change);
    await expect(set).rejects.toThrowWithCode('signature-invalid');
  });
});
