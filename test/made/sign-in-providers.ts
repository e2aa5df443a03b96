/**
 * A served registry whose people sign in with providers, honest ones and a liar:
 *
 *     const people = useProviders();
 *     test('…', async () => {
 *       const browser = new ProviderBrowser(people().served);
 *       expect((await browser.signIn('acme')).status).toBe(303);
 *     });
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { parseNamespace } from '../../src/core/release/name.ts';
import { Provider } from '../../src/oidc/sign-in/provider.ts';
import type { KnownPerson, ProviderSettings } from '../../src/oidc/sign-in/providers-file.ts';
import { LyingProvider } from './lying-provider.ts';
import { CLIENT, PeopleProvider } from './people-provider.ts';
import { Served } from './served.ts';
import { testNetwork } from './trusted-publishing.ts';

const acme = parseNamespace('acme');

/** Dana by her address, and somebody by what the provider calls them. */
export const PEOPLE: readonly KnownPerson[] = [
  { claims: { email: 'dana@acme.example' }, subject: 'dana', namespace: acme, roles: ['reviewer'] },
  { claims: { sub: 'u-2' }, subject: 'max', namespace: acme, roles: ['release-manager'] },
];

export interface Providers {
  readonly served: Served;
  /** Takes the client's secret in a header. */
  readonly acme: PeopleProvider;
  /** Takes it in the body. */
  readonly other: PeopleProvider;
  /** Knows the client by its name alone. */
  readonly plain: PeopleProvider;
  readonly liar: LyingProvider;
}

/** Begins once for a file; before each test all providers are honest, and Dana sits there. */
export function useProviders(): () => Providers {
  let made: Providers & { stop(): Promise<void> };
  beforeAll(async () => {
    made = await startProviders();
  }, 120_000);
  beforeEach(() => {
    for (const provider of [made.acme, made.other, made.plain]) provider.reset();
    made.liar.reset();
  });
  afterAll(() => made.stop());
  return () => made;
}

export async function startProviders() {
  // Providers know where they send people back to, so the registry's address is chosen first.
  const port = await freePort();
  const start = (name: string, auth: string) =>
    PeopleProvider.start([`http://127.0.0.1:${port}/-/sign-in/${name}/callback`], auth);
  const acme = await start('acme', 'client_secret_basic');
  const other = await start('other', 'client_secret_post');
  const plain = await start('plain', 'none');
  const liar = await LyingProvider.start();
  const providers = [
    providerAt('acme', acme.url),
    providerAt('other', other.url),
    providerAt('plain', plain.url, { clientSecret: undefined }),
    providerAt('liar', liar.url),
  ];
  const served = await Served.start({ port, parts: { providers } });
  const stop = async () => {
    await served.stop();
    await Promise.all([acme, other, plain, liar].map((each) => each.close()));
  };
  return { served, acme, other, plain, liar, stop };
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
