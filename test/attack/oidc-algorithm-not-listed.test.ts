/** The operator's list says which algorithms an issuer uses, not the issuer's key set or a token. */
import { expect, test } from '@jest/globals';
import { makeIssuerKey } from '../made/issuer.ts';
import { useTrustedPublishing } from '../made/trusted-publishing.ts';

const publishing = useTrustedPublishing({ algorithms: ['ES256'] });

test('a good signature by another algorithm than is listed for the issuer is refused', async () => {
  const rsa = await makeIssuerKey('rsa', 'RS256');
  publishing().issuer.keys.push(rsa);
  await publishing().refuses(await publishing().token({}, {}, rsa));
  expect(publishing().issuer.asked).toBeGreaterThan(0);
});
