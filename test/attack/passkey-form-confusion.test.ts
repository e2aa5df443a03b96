/** The numbers of a key are one thing, and how it signs is another: neither form stands for the other. */
import { expect, test } from '@jest/globals';
import type { Policy } from '../../src/core/release/policy.ts';
import { enrolled } from '../made/enrolment.ts';
import { auditOf } from '../made/gated-served.ts';
import { expectRefused, usePasskey } from '../made/passkey-gated.ts';
import { refused } from '../made/refused.ts';

const room = usePasskey();

/** The next policy, with other keys of rita's. */
function withKeys(keys: Policy['people'][number]['keys']): Policy {
  const { people, ...policy } = room().gated.policy(3);
  return {
    ...policy,
    people: people.map((each) => (each.id === 'rita' ? { ...each, keys } : each)),
  };
}

test('a bare signature by a passkey’s numbers is none of the passkey', async () => {
  await expectRefused(
    room(),
    room().passkey.bare,
    'the key is a passkey, and the signature is no passkey’s',
  );
});

test('a passkey’s signature is none of a key that signs bytes', async () => {
  const { gated, passkey } = room();
  await gated.setPolicy(withKeys([enrolled(passkey.bare, { person: 'rita' })]), 'olga');
  await expectRefused(room(), passkey, 'the signature is a passkey’s, and the key is none');
});

test('a passkey is enrolled by no bare signature, and a key by no passkey’s', async () => {
  const { gated, passkey } = room();
  const [bare, bound] = [passkey.bare, passkey].map((key) => enrolled(key, { person: 'rita' }));
  const WHO = /^a key of "rita" has no proof that its holder wants to be "rita" of acme/;
  const mixed = { ...bound!, proof: bare!.proof };
  await refused(gated.setPolicy(withKeys([mixed]), 'olga'), 'signature-invalid', WHO);
  const stripped = { spki: bound!.spki, proof: bound!.proof };
  await refused(gated.setPolicy(withKeys([stripped]), 'olga'), 'signature-invalid', WHO);
});

test('nobody enrols a passkey for another site than its holder agreed to', async () => {
  const { gated, passkey } = room();
  const { passkey: binding, ...key } = enrolled(passkey, { person: 'rita' });
  const origins = ['https://models.example.org', 'https://evil.models.example.org'];
  const moved = { ...key, passkey: { ...binding!, origins } };
  await refused(
    gated.setPolicy(withKeys([moved]), 'olga'),
    'signature-invalid',
    /: the signature of the passkey of models\.example\.org is over something else$/,
  );
});

test('an auditor finds it where a registry lets it pass', async () => {
  expect(await auditOf('an approval by the bare numbers of a passkey')).toEqual([
    'signature-invalid: the key is a passkey, and the signature is no passkey’s',
  ]);
});
