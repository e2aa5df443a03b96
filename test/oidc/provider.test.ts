/** Identities of a real OpenID provider, the package `oidc-provider`. */
import { afterEach, expect, test } from '@jest/globals';
import { nodeHost } from '../../src/hashing/host.ts';
import { openIdentities } from '../../src/oidc/identity.ts';
import { OpenIdProvider } from '../made/openid-provider.ts';
import { testNetwork } from '../made/trusted-publishing.ts';

let provider: OpenIdProvider;
afterEach(() => provider.close());

test.each(['RS256', 'ES256'] as const)('signed with %s are opened', async (alg) => {
  provider = await OpenIdProvider.start(alg, 'weights.example');
  const issuers = [{ issuer: provider.url, jwksUri: undefined, algorithms: [alg] }];
  const identities = openIdentities(nodeHost, issuers, testNetwork());
  const token = await provider.identityOf({ repository: 'acme/kimi' });
  const identity = await identities.open(token, Date.now());
  expect(identity).toMatchObject({
    issuer: provider.url,
    audience: 'weights.example',
    subject: 'ci-job',
    claims: { repository: 'acme/kimi', client_id: 'ci-job' },
  });
  expect(identity.expires).toBeGreaterThan(Date.now() / 1000 + 200);
});
