/** A page of another site, or of a host beside ours, has somebody's passkey sign our statement. */
import { expect, test } from '@jest/globals';
import { auditOf } from '../made/gated-served.ts';
import { expectLieRefused, usePasskey } from '../made/passkey-gated.ts';

const room = usePasskey();

test.each([
  'https://evil.example',
  'https://sub.models.example.org',
  'https://models.example.org:8443',
  'http://models.example.org',
  'https://models.example.org/',
  'https://models.example.org.evil.example',
  'HTTPS://models.example.org',
])('what was signed at %s is no approval', async (origin) => {
  await expectLieRefused(
    room(),
    { client: { origin } },
    `the signature of the passkey of models.example.org was made at "${origin}", not at https://models.example.org`,
  );
});

test('an auditor finds it where a registry lets it pass', async () => {
  expect(await auditOf('an approval by a passkey at another site')).toEqual([
    'signature-invalid: the signature of the passkey of models.example.org was made at "https://evil.example", not at https://models.example.org',
  ]);
});
