import { expect, test } from '@jest/globals';
import { soloPolicy } from '../../../src/core/release/policy.ts';
import { passkeysOf } from '../../../src/server/pages/policy-words.ts';
import { enrolled } from '../../made/enrolment.ts';
import { ORIGIN } from '../../made/model-signature.ts';
import { makeKey } from '../../made/p256.ts';
import { makePasskey } from '../../made/passkey.ts';

const key = enrolled(makeKey());
const solo = soloPolicy(ORIGIN, 'acme', { id: 'owner', name: 'Ada Lovelace', key });
const withKeys = (...keys: (typeof key)[]) => ({
  ...solo,
  people: [{ ...solo.people[0]!, keys: [key, ...keys] }],
});

test('a page says whose keys are passkeys, and of which party, but not of those that are revoked', () => {
  expect(passkeysOf(solo)).toEqual([]);
  expect(passkeysOf(withKeys({ ...enrolled(makePasskey()), revoked: true }))).toEqual([]);
  expect(passkeysOf(withKeys(enrolled(makePasskey())))).toEqual([
    ['passkeys', 'Ada Lovelace: a passkey of models.example.org'],
  ]);
});
