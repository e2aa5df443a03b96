/** An assertion over one statement, shown with another: an approval is made of what was no approval. */
import { test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { proofOf } from '../../src/core/release/policy-key.ts';
import { enrolled } from '../made/enrolment.ts';
import { expectLieRefused, expectRefused, usePasskey } from '../made/passkey-gated.ts';

const room = usePasskey();
const WHY = 'the signature of the passkey of models.example.org is over something else';

test('a passkey’s signature over another statement is no approval', async () => {
  const { passkey } = room();
  const elsewhere = passkey.sign(utf8('a challenge of somebody’s sign-in'));
  await expectRefused(room(), { ...passkey, sign: () => elsewhere }, WHY);
});

test('nor is the proof that enrolled it', async () => {
  const { passkey } = room();
  const proof = proofOf(enrolled(passkey, { person: 'rita' }));
  await expectRefused(room(), { ...passkey, sign: () => proof }, WHY);
});

test.each([
  ['in base64 with padding', (challenge: string) => `${challenge}=`],
  ['cut short', (challenge: string) => challenge.slice(0, -1)],
  ['of nothing', () => ''],
])('a challenge %s is another one', async (_, change) => {
  const clientText = (honest: string) => {
    const said = JSON.parse(honest);
    return JSON.stringify({ ...said, challenge: change(said.challenge) });
  };
  await expectLieRefused(room(), { clientText }, WHY);
});
