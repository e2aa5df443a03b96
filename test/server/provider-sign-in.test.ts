/** Signing in with an OpenID provider, as `oidc-provider` is one. Attacks have a file of their own. */
import { describe, expect, test } from '@jest/globals';
import type { Response } from 'express';
import { pino } from 'pino';
import { IDLE_SECONDS, SESSION_SECONDS } from '../../src/keyring/session.ts';
import type { Authenticator } from '../../src/server/auth.ts';
import { ProviderSignIn } from '../../src/server/provider-sign-in.ts';
import { Sessions } from '../../src/server/sessions.ts';
import { keys } from '../../src/store/keys.ts';
import { DANA } from '../made/people-provider.ts';
import { ProviderBrowser } from '../made/provider-browser.ts';
import { Served } from '../made/served.ts';
import { providerAt, useProviders } from '../made/sign-in-providers.ts';

const SESSION = '__Host-weighhouse';

const people = useProviders();
const open = () => new ProviderBrowser(people().served);
const signedIn = async () => {
  const browser = open();
  expect((await browser.signIn('acme')).status).toBe(303);
  return browser;
};
/** What the server logged when somebody signed in last. */
const told = () =>
  people()
    .served.logged.map((line) => JSON.parse(line))
    .findLast(({ msg }) => msg === 'somebody signed in');

/** As `token revoke` does it, in another process. */
async function revoke(id: string): Promise<void> {
  await people().served.store.create(keys.revoked(id), new TextEncoder().encode('{}'));
}

describe('the page for who is not signed in', () => {
  test('has a button for each provider, and says how it is done without', async () => {
    for (const path of ['/-/sign-in', '/-/drafts']) {
      const { text, headers } = await open().get(path);
      expect(text).toContain('<form method="post" action="/-/sign-in/acme">');
      expect(text).toContain('Sign in with other');
      expect(text).toContain(new URL(people().other.url).host);
      expect(text).toContain('weighhouse login --web');
      expect(headers.get('content-security-policy')).toContain("form-action 'self'");
    }
  });

  test('has none where nobody is configured', async () => {
    const served = await Served.start();
    const browser = new ProviderBrowser(served);
    expect((await browser.get('/-/sign-in')).text).not.toContain('<form method="post"');
    expect((await browser.post('/-/sign-in/acme')).status).toBe(404);
    expect((await browser.get('/-/sign-in/acme/callback')).status).toBe(404);
    await served.stop();
  });
});

describe('the way to a provider', () => {
  test('begins with a page that goes on by itself, and keeps what is needed to come back', async () => {
    const browser = open();
    const answer = await browser.post('/-/sign-in/acme');
    expect(answer.status).toBe(200);
    const url = new URL(/^0; url=(.+)$/.exec(answer.headers.get('refresh')!)![1]!);
    expect(url.origin).toBe(people().acme.url);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'weighhouse',
      response_type: 'code',
      redirect_uri: `${people().served.url}/-/sign-in/acme/callback`,
      scope: 'openid email',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    expect(answer.text).toContain(`Sign in at ${url.host}`);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-weighhouse-sign-in=[^;]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ]);
    const again = await browser.begin('acme');
    for (const secret of ['state', 'nonce', 'code_challenge']) {
      expect(again.searchParams.get(secret)).not.toBe(url.searchParams.get(secret));
    }
  });

  test('ends at the drafts, with a session and nothing else', async () => {
    const browser = open();
    const { status, headers } = await browser.signIn('acme');
    expect([status, headers.get('location')]).toEqual([303, '/-/drafts']);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.getSetCookie().at(-1)).toMatch(
      /^__Host-weighhouse=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect([...browser.jar.keys()]).toEqual([SESSION]);
    const { text } = await browser.get('/-/drafts');
    expect(text).toContain('Signed in as <strong>dana</strong>');
  });

  test('knows people by other claims, too, and whom it knows twice as the first', async () => {
    people().other.who = { ...DANA, sub: 'u-2', email: 'elsewhere@acme.example' };
    const browser = open();
    expect((await browser.signIn('other')).status).toBe(303);
    expect((await browser.get('/-/drafts')).text).toContain('<strong>max</strong>');
    people().acme.who = { ...DANA, sub: 'u-2' };
    const both = open();
    await both.signIn('acme');
    expect((await both.get('/-/drafts')).text).toContain('<strong>dana</strong>');
  });

  test('ends at the buttons for whoever thinks better of it', async () => {
    people().acme.who = undefined;
    const browser = open();
    const { status, text } = await browser.signIn('acme');
    expect(status).toBe(401);
    expect(text).toContain('Acme did not sign you in (access_denied): begin again.');
    expect(text).not.toContain('thought');
    expect([...browser.jar.keys()]).toEqual([]);
  });
});

describe('somebody whom the operator has not listed', () => {
  test('is told what the provider said, and of nobody else', async () => {
    people().acme.who = { sub: '<i>u-9</i>', email: 'eve@acme.example', email_verified: true };
    const browser = open();
    const { status, text } = await browser.signIn('acme');
    expect([status, browser.jar.has(SESSION)]).toEqual([401, false]);
    expect(text).toContain('“&lt;i&gt;u-9&lt;/i&gt;” with the e-mail address “eve@acme.example”');
    expect(text).not.toMatch(/dana|u-2|max/);
  });
});

describe('a session from a provider', () => {
  test('lasts as one from a link does', async () => {
    const browser = await signedIn();
    people().served.pass((IDLE_SECONDS - 60) * 1000);
    expect((await browser.get('/-/drafts')).status).toBe(200);
    people().served.pass((IDLE_SECONDS + 60) * 1000);
    expect((await browser.get('/-/drafts')).status).toBe(401);
  });

  test('ends after eight hours however it is used', async () => {
    const browser = await signedIn();
    const step = IDLE_SECONDS - 60;
    for (let passed = 0; passed + step < SESSION_SECONDS; passed += step) {
      people().served.pass(step * 1000);
      expect((await browser.get('/-/drafts')).status).toBe(200);
    }
    people().served.pass(step * 1000);
    expect((await browser.get('/-/drafts')).status).toBe(401);
  });

  test('speaks to the API with a page token, and is the person that the operator said', async () => {
    const browser = await signedIn();
    await people().served.push('acme/secret@v1', { 'README.md': 'Not yet.' });
    const { token } = JSON.parse((await browser.post('/-/token')).text);
    const { drafts } = await people().served.api('/drafts/acme', { token });
    expect(drafts).toHaveLength(1);
    const draft = await people().served.fetch('/api/v1/drafts/beta', { token });
    expect(draft.status).toBe(403);
  });

  test('ends when the id in the log is revoked, and its page tokens end with it', async () => {
    const browser = await signedIn();
    const { token } = JSON.parse((await browser.post('/-/token')).text);
    const { session, subject, provider } = told();
    expect([subject, provider]).toEqual(['dana', 'acme']);
    const other = await signedIn();
    await revoke(session);
    people().served.pass(31_000);
    expect((await browser.get('/-/drafts')).status).toBe(401);
    expect((await browser.post('/-/token')).status).toBe(401);
    expect((await people().served.fetch('/api/v1/drafts/acme', { token })).status).toBe(401);
    expect((await other.get('/-/drafts')).status).toBe(200);
  });

  test('ends when its person signs out', async () => {
    const browser = await signedIn();
    const copy = new Map(browser.jar);
    expect((await browser.post('/-/sign-out')).status).toBe(303);
    for (const [name, value] of copy) browser.jar.set(name, value);
    expect((await browser.get('/-/drafts')).status).toBe(401);
  });
});

test.each(['other', 'plain'])('says who it is in the way that %s takes', async (name) => {
  expect((await open().signIn(name)).status).toBe(303);
});

test('sends nobody anywhere from where people are not in private', async () => {
  const url = 'http://models.example';
  const { store, tokens } = people().served;
  const parts = { url, store, tokens, clock: Date.now, logger: pino({ level: 'silent' }) };
  const sessions = new Sessions({ ...parts, auth: {} as Authenticator });
  const providers = [providerAt('acme', people().acme.url)];
  const signIn = new ProviderSignIn({ ...parts, sessions, providers });
  const begun = signIn.begin('acme', {} as Response);
  await expect(begun).rejects.toThrowWithCode('conflict');
});
