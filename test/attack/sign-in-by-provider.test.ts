/**
 * Somebody wants to be signed in as another, or another as themselves, or sent where they want, by
 * way of a provider: with a code, a cookie, a token or an answer that belongs elsewhere. Each is
 * refused with a page that says what to do, and opens no session.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import { makeIssuerKey } from '../made/issuer.ts';
import { ProviderBrowser } from '../made/provider-browser.ts';
import { useProviders } from '../made/sign-in-providers.ts';
import type { Answer } from '../made/signed-in.ts';

const SESSION = '__Host-weighhouse';
const ATTEMPT = '__Host-weighhouse-sign-in';

const people = useProviders();
const open = () => new ProviderBrowser(people().served);

/** No session, the attempt is over, and there are buttons to begin again with. */
function refused(browser: ProviderBrowser, { status, text, headers }: Answer, expected = 401) {
  expect([status, headers.get('location')]).toEqual([expected, null]);
  expect(text).toContain('<form method="post" action="/-/sign-in/acme">');
  expect(text).toMatch(/begin again|try again|send this sentence/i);
  expect([browser.jar.has(SESSION), browser.jar.has(ATTEMPT)]).toEqual([false, false]);
}

/** Changes the query of a path. */
function changed(path: string, change: (query: URLSearchParams) => void): string {
  const [before, search] = path.split('?');
  const query = new URLSearchParams(search);
  change(query);
  return `${before}?${query}`;
}

/** Back at the registry's door, with the provider's answer in hand. */
async function arrived(name = 'acme') {
  const browser = open();
  const provider = name === 'acme' ? people().acme : people().other;
  const asked: string[] = [];
  provider.answer = ({ method, url }) => {
    asked.push(`${method} ${url}`);
    return false;
  };
  const path = await browser.authorise(await browser.begin(name));
  asked.length = 0;
  return { browser, path, asked };
}

// Whatever a test has attacked, honest people still sign in.
afterEach(async () => {
  people().acme.reset();
  expect((await open().signIn('acme')).status).toBe(303);
});

describe('a state', () => {
  test.each<[string, (query: URLSearchParams) => void]>([
    ['of somebody else’s making', (query) => query.set('state', 'A'.repeat(43))],
    ['that is missing', (query) => query.delete('state')],
    ['that is empty', (query) => query.set('state', '')],
    ['that comes twice', (query) => query.append('state', 'A'.repeat(43))],
  ])('%s opens nothing', async (_, change) => {
    const { browser, path, asked } = await arrived();
    refused(browser, await browser.get(changed(path, change)));
    expect(asked.filter((line) => line.startsWith('POST'))).toEqual([]);
  });
});

describe('a code', () => {
  test('is used once by us, whatever its provider thinks of it', async () => {
    const { browser, path, asked } = await arrived();
    const attempt = browser.jar.get(ATTEMPT)!;
    expect((await browser.get(path)).status).toBe(303);
    asked.length = 0;
    browser.jar.clear();
    browser.jar.set(ATTEMPT, attempt);
    refused(browser, await browser.get(path));
    expect(asked).toEqual([]);
  });

  test('is used once by its provider, too', async () => {
    const { browser, path } = await arrived();
    const code = new URLSearchParams(path.split('?')[1]).get('code')!;
    expect((await browser.get(path)).status).toBe(303);
    const second = open();
    const other = await second.authorise(await second.begin('acme'));
    refused(second, await second.get(changed(other, (query) => query.set('code', code))));
  });

  test('of another browser signs nobody in: neither who has begun nothing nor who has', async () => {
    const { path } = await arrived();
    const victim = open();
    refused(victim, await victim.get(path));
    const begun = open();
    await begun.begin('acme');
    refused(begun, await begun.get(path));
  });

  test('of another browser is bound to that one’s proof, with the right state, too', async () => {
    const { path } = await arrived();
    const code = new URLSearchParams(path.split('?')[1]).get('code')!;
    const victim = open();
    const own = await victim.authorise(await victim.begin('acme'));
    refused(victim, await victim.get(changed(own, (query) => query.set('code', code))));
  });
});

describe('two providers are not mixed up', () => {
  test('by an answer that comes to the other’s door', async () => {
    const { browser, path, asked } = await arrived();
    refused(browser, await browser.get(path.replace('/acme/', '/other/')));
    expect(asked).toEqual([]);
  });

  test('by an answer that comes to a liar’s door, who would like to have the code', async () => {
    const { browser, path } = await arrived();
    const unnamed = changed(path, (query) => query.delete('iss'));
    refused(browser, await browser.get(unnamed.replace('/acme/', '/liar/')));
    expect(people().liar.requests).not.toContain('/token');
  });

  test('by the name of the other in the answer (RFC 9207)', async () => {
    const { browser, path } = await arrived();
    const answer = changed(path, (query) => query.set('iss', people().other.url));
    refused(browser, await browser.get(answer));
  });

  test('by an answer without the name that is always in it', async () => {
    const { browser, path } = await arrived();
    refused(browser, await browser.get(changed(path, (query) => query.delete('iss'))));
  });
});

describe('a cookie', () => {
  test('is good for ten minutes', async () => {
    const { browser, path } = await arrived();
    people().served.pass(601_000);
    refused(browser, await browser.get(path));
  });

  test('of another attempt is not good for this one', async () => {
    const { browser, path } = await arrived();
    const other = open();
    await other.begin('acme');
    browser.jar.set(ATTEMPT, other.jar.get(ATTEMPT)!);
    refused(browser, await browser.get(path));
  });

  test('that was changed, or is of another kind, is none', async () => {
    const signedIn = open();
    await signedIn.signIn('acme');
    const session = signedIn.jar.get(SESSION)!;
    const { token } = JSON.parse((await signedIn.post('/-/token')).text);
    const { browser, path } = await arrived();
    const attempt = browser.jar.get(ATTEMPT)!;
    for (const cookie of [session, token, '', `${attempt.slice(0, -4)}AAAA`]) {
      browser.jar.set(ATTEMPT, cookie);
      refused(browser, await browser.get(path));
    }
    browser.jar.set(SESSION, attempt);
    expect((await browser.get('/-/drafts')).status).toBe(401);
  });
});

describe('a page of a stranger', () => {
  test('sends nobody to a provider', async () => {
    for (const origin of [null, 'null', 'https://elsewhere.example']) {
      const browser = open();
      const { status, headers } = await browser.post('/-/sign-in/acme', origin);
      expect([status, headers.get('refresh'), browser.jar.size]).toEqual([403, null, 0]);
    }
    expect((await open().get('/-/sign-in/acme')).status).toBe(404);
  });

  test('cannot say where somebody comes out', async () => {
    const { browser, path } = await arrived();
    const elsewhere = 'https://elsewhere.example/';
    const answer = changed(path, (query) => {
      for (const name of ['return', 'next', 'redirect_uri', 'url']) query.set(name, elsewhere);
    });
    const { status, headers } = await browser.get(answer);
    expect([status, headers.get('location')]).toEqual([303, '/-/drafts']);
    for (const name of ['acme%2f..%2f..', '..%2facme', 'https:%2f%2felsewhere.example', '%00']) {
      const lost = await open().post(`/-/sign-in/${name}`);
      expect([lost.status, lost.headers.get('refresh')]).toEqual([404, null]);
    }
  });

  test('cannot put words into ours', async () => {
    const { browser, path } = await arrived();
    const answer = changed(path, (query) => {
      query.delete('code');
      query.set('error', 'your password is wrong, call 555');
      query.set('error_description', 'call 555');
    });
    const told = await browser.get(answer);
    refused(browser, told);
    expect(told.text).not.toContain('555');
  });
});

describe('an e-mail address', () => {
  test.each([false, undefined, 'true', 1])(
    'whose email_verified is %s names nobody',
    async (email_verified) => {
      const browser = open();
      const { sub, email } = people().acme.who!;
      people().liar.claims = { sub, email, email_verified };
      const told = await browser.get(people().liar.back(await browser.begin('liar')));
      refused(browser, told);
      expect(told.text).toContain('which it has not verified');
    },
  );

  test('is compared to the letter', async () => {
    for (const email of ['Dana@acme.example', 'dana@acme.example ', 'dana@acme.exаmple']) {
      const browser = open();
      people().liar.claims = { email };
      refused(browser, await browser.get(people().liar.back(await browser.begin('liar'))));
    }
  });
});

describe('an ID token', () => {
  const answerOf = async (browser: ProviderBrowser) =>
    browser.get(people().liar.back(await browser.begin('liar')));

  test('that is right in all is taken: what follows is refused for what is wrong in it', async () => {
    expect((await answerOf(open())).status).toBe(303);
  });

  test.each<[string, () => Readonly<Record<string, unknown>>]>([
    ['another attempt', () => ({ nonce: 'A'.repeat(43) })],
    ['no attempt', () => ({ nonce: undefined })],
    ['another provider', () => ({ iss: people().acme.url })],
    ['another client', () => ({ aud: 'somebody-else' })],
    ['several, and made for another', () => ({ aud: ['weighhouse', 'x'], azp: 'x' })],
    ['yesterday', () => ({ iat: 1, exp: 2 })],
    ['nobody', () => ({ sub: undefined })],
  ])('for or of %s is refused', async (_, claims) => {
    people().liar.claims = claims();
    const browser = open();
    refused(browser, await answerOf(browser));
  });

  test('signed by another key of the same name is refused, though TLS would do', async () => {
    people().liar.key = await makeIssuerKey('first');
    const browser = open();
    refused(browser, await answerOf(browser));
  });

  test('that nobody signed, and none at all, are refused', async () => {
    const part = (json: object) => Buffer.from(JSON.stringify(json)).toString('base64url');
    const browser = open();
    const url = await browser.begin('liar');
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      ...{ iss: people().liar.url, aud: 'weighhouse', sub: 'u-2', iat: now, exp: now + 60 },
      nonce: url.searchParams.get('nonce'),
    };
    people().liar.answer = { id_token: `${part({ alg: 'none' })}.${part(claims)}.` };
    refused(browser, await browser.get(people().liar.back(url)));
    people().liar.answer = {};
    const second = open();
    refused(second, await answerOf(second));
  });
});

describe('a provider', () => {
  const later = () => people().served.pass(601_000);

  test('that is down is said to be so, on the way there and on the way back', async () => {
    const { browser, path } = await arrived();
    people().acme.answer = (_, response) => {
      response.destroy();
      return true;
    };
    refused(browser, await browser.get(path), 502);
    later();
    const second = open();
    const told = await second.post('/-/sign-in/acme');
    refused(second, told, 502);
    expect(told.text).toContain('Acme cannot be asked now: try again in a minute');
    expect(told.text).not.toContain('well-known');
    expect(people().served.logged.join('')).toContain('somebody could not sign in');
  });

  test.each<[string, () => Readonly<Record<string, unknown>>]>([
    ['that says it is another', () => ({ issuer: people().acme.url })],
    ['whose pages are no web pages', () => ({ authorization_endpoint: 'javascript:alert(1)' })],
  ])('%s sends nobody anywhere', async (_, metadata) => {
    later();
    people().liar.metadata = metadata();
    const browser = open();
    const told = await browser.post('/-/sign-in/liar');
    expect(told.headers.get('refresh')).toBeNull();
    refused(browser, told, 502);
    later();
  });

  test.each(['https://169.254.169.254/token', 'https://10.0.0.1/token', 'http://1.1.1.1/token'])(
    'cannot have us ask %s',
    async (token_endpoint) => {
      later();
      people().liar.metadata = { token_endpoint };
      const browser = open();
      refused(browser, await browser.get(people().liar.back(await browser.begin('liar'))), 502);
      expect(people().served.logged.join('')).toContain('nothing is asked there');
      later();
    },
  );
});
