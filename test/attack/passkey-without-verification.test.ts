/** Somebody who found a security key touches it: it was there, and its holder was not. */
import { expect, test } from '@jest/globals';
import { auditOf } from '../made/gated-served.ts';
import { expectLieRefused, usePasskey } from '../made/passkey-gated.ts';

const room = usePasskey();
const OF = 'the signature of the passkey of models.example.org';
const UNVERIFIED = `${OF} was made without verifying who was there`;

test.each([
  ['nobody was verified', 0x01, UNVERIFIED],
  ['nobody was there', 0x04, `${OF} was made with nobody there`],
  ['neither was', 0x00, `${OF} was made with nobody there`],
  ['a flag is set that means nothing', 0x07, `${OF} has flags that mean nothing, or extensions`],
  ['attested data is announced', 0x45, `${OF} has flags that mean nothing, or extensions`],
  ['extensions are announced', 0x85, `${OF} has flags that mean nothing, or extensions`],
  ['it is backed up and cannot be', 0x15, `${OF} says that it is backed up and cannot be`],
])('it is no approval where %s', async (_, flags, why) => {
  await expectLieRefused(room(), { flags }, why);
});

test('an auditor finds it where a registry lets it pass', async () => {
  expect(await auditOf('an approval by a passkey whose holder was not verified')).toEqual([
    `signature-invalid: ${UNVERIFIED}`,
  ]);
});
