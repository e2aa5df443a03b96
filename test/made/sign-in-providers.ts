/**
 * A served registry whose people sign in with two providers, `acme` and `other`:
 *
 *     const people = useProviders();
 *     test('…', async () => {
 *       const browser = new ProviderBrowser(people().served);
 *       expect((await browser.signIn('acme')).status).toBe(303);
 *     });
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach } from '@jest/globals';
import { parseNamespace } from '../../src/core/release/name.ts';
import { Provider } from '../../src/oidc/sign-in/provider.ts';
import type { KnownPerson, ProviderSettings } from '../../src/oidc/sign-in/providers-file.ts';
import { CLIENT, PeopleProvider } from './people-provider.ts';
import { Served, type ServedOptions } from './served.ts';
import { testNetwork } from './trusted-publishing.ts';

const acme = parseNamespace('acme');

/** Dana by her address, and somebody by what the provider calls them. */
export const PEOPLE: readonly KnownPerson[] = [
  { claims: { email: 'dana@acme.example' }, subject: 'dana', namespace: acme, roles: ['reviewer'] },
  { claims: { sub: 'u-2' }, subject: 'max', namespace: acme, roles: ['release-manager'] },
];

export interface ProvidersOptions {
  /** How the registry proves to be itself to the provider `acme`. */
  readonly auth?: 'client_secret_basic' | 'client_secret_post' | 'none';
  readonly settings?: Partial<ProviderSettings>;
  readonly served?: ServedOptions;
}

export interface Providers {
  readonly served: Served;
  readonly acme: PeopleProvider;
  readonly other: PeopleProvider;
}

/** Begins anew for each test. */
export function useProviders(options: ProvidersOptions = {}): () => Providers {
  let made: Providers & { stop(): Promise<void> };
  beforeEach(async () => {
    made = await startProviders(options);
  });
  afterEach(() => made.stop());
  return () => made;
}

export async function startProviders({ auth, settings, served: more }: ProvidersOptions = {}) {
  // Providers know where they send people back to, so the registry's address is chosen first.
  const port = await freePort();
  const at = (name: string) => [`http://127.0.0.1:${port}/-/sign-in/${name}/callback`];
  const [acme, other] = [
    await PeopleProvider.start(at('acme'), auth),
    await PeopleProvider.start(at('other')),
  ];
  const providers = [providerAt('acme', acme.url, settings), providerAt('other', other.url)];
  const served = await Served.start({ ...more, port, parts: { providers } });
  const stop = async () => {
    await served.stop();
    await Promise.all([acme.close(), other.close()]);
  };
  return { served, acme, other, stop };
}

/** As the operator's file would say it. */
export function providerAt(
  name: string,
  issuer: string,
  settings: Partial<ProviderSettings> = {},
): Provider {
  return new Provider(
    {
      ...{ name, issuer, clientId: CLIENT.id, clientSecret: CLIENT.secret },
      ...{ scopes: ['openid', 'email'], people: PEOPLE, ...settings },
    },
    testNetwork({ timeout: 10_000 }),
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
