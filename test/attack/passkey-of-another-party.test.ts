/** An assertion that the authenticator made for another relying party, dressed as ours. */
import { expect, test } from '@jest/globals';
import { auditOf } from '../made/gated-served.ts';
import { expectLieRefused, usePasskey } from '../made/passkey-gated.ts';

const room = usePasskey();
const WHY = 'the signature of the passkey of models.example.org was made for another relying party';

test.each(['evil.example', 'example.org', 'https://models.example.org', 'MODELS.example.org'])(
  'what was signed for %s is no approval',
  async (rpId) => {
    await expectLieRefused(room(), { rpId }, WHY);
  },
);

test('an auditor finds it where a registry lets it pass', async () => {
  expect(await auditOf('an approval by a passkey for another relying party')).toEqual([
    `signature-invalid: ${WHY}`,
  ]);
});
