/**
 * One key that stands twice, as two people or twice with one, would meet two places of a
 * threshold (go-tuf GHSA-fphv-w9fq-2525).
 */
import { expect, test } from '@jest/globals';
import { formatCanonical } from '../../src/core/json.ts';
import { POLICY_PAYLOAD_TYPE, type Policy } from '../../src/core/release/policy.ts';
import { parseEnvelope } from '../../src/core/statement/dsse.ts';
import { enrolled } from '../made/enrolment.ts';
import { useGated } from '../made/gated-served.ts';
import { ACME } from '../made/live-registry.ts';
import { refused } from '../made/refused.ts';

const gated = useGated({ approvals: [{ role: 'reviewer', count: 2 }] });

type People = Policy['people'];

/** The people, with others keys for one of them. */
function giving(id: string, change: (keys: People[number]['keys']) => People[number]['keys']) {
  return gated()
    .policy(2)
    .people.map((person) => (person.id === id ? { ...person, keys: change(person.keys) } : person));
}

const ritasKey = (person: string) => enrolled(gated().team.keys.rita, { person });

const DUPLICATES: [what: string, changes: () => Partial<Policy>, sentence: string][] = [
  [
    'with a key that two people have',
    () => ({ people: giving('rob', () => [ritasKey('rob')]) }),
    'the policy: "rob" and "rita" have the same key',
  ],
  [
    'with a key that one person has twice',
    () => ({ people: giving('rita', (keys) => [...keys, ritasKey('rita')]) }),
    'the policy: "rita" and "rita" have the same key',
  ],
  [
    'with a person who stands twice',
    () => ({ people: [...gated().policy(2).people, { id: 'rita', name: 'Rita', keys: [] }] }),
    'the policy: the person "rita" stands twice',
  ],
  [
    'with a role that somebody has twice',
    () => ({ roles: { ...gated().policy(2).roles, reviewer: ['rita', 'rita'] } }),
    'the policy: roles.reviewer names somebody twice',
  ],
];

test.each(DUPLICATES)('a policy %s is refused, whoever signs it', async (_, changes, sentence) => {
  const policy = formatCanonical({ ...gated().policy(2), ...changes() });
  const signed = [parseEnvelope(gated().team.sign('olga', POLICY_PAYLOAD_TYPE, policy))];
  const api = await gated().api('olga');
  await refused(api.setPolicy(ACME, { policy, signed }), 'bad-document', sentence);
  expect((await api.policies(ACME)).policies).toHaveLength(1);
});
