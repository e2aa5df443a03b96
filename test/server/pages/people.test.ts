/** Signing in to the pages, and what is there for the people of a namespace. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { IDLE_SECONDS, SESSION_SECONDS, SIGN_IN_SECONDS } from '../../../src/keyring/session.ts';
import { Served } from '../../made/served.ts';
import { SignedIn } from '../../made/signed-in.ts';

const SECOND = 1_000;
/** A token outlives a session, unless a test says otherwise. */
const LONG = 10 * SESSION_SECONDS;

let served: Served;
beforeEach(async () => {
  served = await Served.start();
  await served.createNamespace('beta');
  await served.push('acme/secret@v1', { 'README.md': 'Not yet.' });
  await served.publish('acme/tiny@v1', { 'README.md': 'Hello.' });
});
afterEach(() => served.stop());

const tokenOf = async (subject = 'dana', seconds = LONG, namespace = 'acme') =>
  (await served.token({ roles: ['reviewer'], subject, seconds, namespace })).token;
const signIn = async (...who: Parameters<typeof tokenOf>) =>
  SignedIn.as(served, await tokenOf(...who));

describe('a sign-in link', () => {
  test('asks first, and then opens one session', async () => {
    const link = await SignedIn.link(served, await tokenOf('<b>dana</b>'));
    const browser = new SignedIn(served);
    for (let looks = 0; looks < 2; looks++) {
      const { status, text } = await browser.get(link);
      expect([status, browser.cookie]).toEqual([200, undefined]);
      expect(text).toContain('&lt;b&gt;dana&lt;/b&gt;');
    }
    const { status, headers } = await browser.confirm(link);
    expect([status, headers.get('location')]).toEqual([303, '/-/drafts']);
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-weighhouse=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
    ]);
  });

  test('is good once', async () => {
    const link = await SignedIn.link(served, await tokenOf());
    expect((await new SignedIn(served).confirm(link)).status).toBe(303);
    const again = await new SignedIn(served).confirm(link);
    expect(again.status).toBe(401);
    expect(again.text).toContain('This sign-in link was used before');
  });

  test('is good for a minute', async () => {
    const link = await SignedIn.link(served, await tokenOf());
    served.pass((SIGN_IN_SECONDS + 1) * SECOND);
    const late = await new SignedIn(served).confirm(link);
    expect([late.status, late.headers.getSetCookie()]).toEqual([401, []]);
  });

  test('is not made for what is no person’s own token', async () => {
    const { session } = await served.api('/drafts/acme/other/v1', { method: 'PUT' });
    const refused = await served.fetch('/api/v1/sign-in-links', { method: 'POST', token: session });
    expect(refused.status).toBe(403);
    expect(
      (await served.fetch('/api/v1/sign-in-links', { method: 'POST', token: null })).status,
    ).toBe(401);
  });

  test('is no session, and no token; a session and a token are no link', async () => {
    const link = await SignedIn.link(served, await tokenOf());
    const code = new URLSearchParams(link.split('?')[1]).get('code')!;
    const browser = new SignedIn(served);
    browser.cookie = `__Host-weighhouse=${code}`;
    expect((await browser.get('/-/drafts')).status).toBe(401);
    expect((await served.fetch('/api/v1/drafts/acme', { token: code })).status).toBe(401);
    const session = (await signIn()).cookie!.split('=')[1]!;
    for (const other of [session, await tokenOf()]) {
      expect((await browser.confirm(`?${new URLSearchParams({ code: other })}`)).status).toBe(401);
    }
  });
});

describe('a session', () => {
  test('shows the drafts of its namespace, and nobody else’s', async () => {
    const browser = await signIn();
    const { status, text, headers } = await browser.get('/-/drafts');
    expect(status).toBe(200);
    expect(text).toContain('href="/-/drafts/acme/secret/v1"');
    expect(text).not.toContain('/-/drafts/acme/tiny');
    expect(headers.get('cache-control')).toBe('no-store');
    expect((await browser.get('/-/drafts?namespace=beta')).status).toBe(403);
    const stranger = await signIn('eve', LONG, 'beta');
    const there = await stranger.get('/-/drafts/acme/secret/v1');
    const absent = await stranger.get('/-/drafts/acme/absent/v1');
    expect([there.status, absent.status]).toEqual([403, 403]);
    expect(there.text.replaceAll('secret', 'absent').replace(/request [0-9a-f-]+/, '')).toBe(
      absent.text.replace(/request [0-9a-f-]+/, ''),
    );
  });

  test('shows a draft with what it still lacks', async () => {
    const { text } = await (await signIn()).get('/-/drafts/acme/secret/v1');
    expect(text).toContain('data-reference="acme/secret@v1"');
    expect(text).toContain('What is still missing');
  });

  test('ends when nobody uses it, and lasts while somebody does', async () => {
    const [used, idle] = [await signIn(), await signIn()];
    served.pass((IDLE_SECONDS - 60) * SECOND);
    expect((await used.get('/-/drafts')).status).toBe(200);
    served.pass(120 * SECOND);
    expect((await used.get('/-/drafts')).status).toBe(200);
    expect((await idle.get('/-/drafts')).status).toBe(401);
  });

  test('ends after eight hours however it is used', async () => {
    const browser = await signIn();
    const step = IDLE_SECONDS - 60;
    for (let passed = 0; passed + step < SESSION_SECONDS; passed += step) {
      served.pass(step * SECOND);
      expect((await browser.get('/-/drafts')).status).toBe(200);
    }
    served.pass(step * SECOND);
    expect((await browser.get('/-/drafts')).status).toBe(401);
  });

  test('ends with the token that it came from', async () => {
    const browser = await signIn('dana', 120);
    expect((await browser.get('/-/drafts')).status).toBe(200);
    served.pass(121 * SECOND);
    expect((await browser.get('/-/drafts')).status).toBe(401);
  });

  test('ends when somebody signs out, for whoever has copied it, too', async () => {
    const browser = await signIn();
    const copy = new SignedIn(served);
    copy.cookie = browser.cookie;
    const { headers } = await browser.post('/-/sign-out');
    expect(headers.getSetCookie()[0]).toContain('Max-Age=0');
    expect((await copy.get('/-/drafts')).status).toBe(401);
    const other = await fetch(`${await served.startAnother()}/-/drafts`, {
      headers: { accept: 'text/html', cookie: copy.cookie! },
    });
    expect(other.status).toBe(401);
  });

  test('of nobody, or a forged one, is told how to sign in', async () => {
    const browser = await signIn();
    const forged = new SignedIn(served);
    const cookie = browser.cookie!;
    for (const other of [undefined, `${cookie.slice(0, -4)}AAAA`, '__Host-weighhouse=', 'a=b']) {
      forged.cookie = other;
      const { status, text } = await forged.get('/-/drafts');
      expect(status).toBe(401);
      expect(text).toContain('weighhouse login --web');
      expect(text).not.toContain('secret');
    }
  });
});

describe('what a page posts', () => {
  test.each([null, 'https://elsewhere.example', 'null'])(
    'is not taken from a page of %s',
    async (origin) => {
      const browser = await signIn();
      const link = await SignedIn.link(served, await tokenOf());
      const code = new URLSearchParams(link.split('?')[1]).get('code')!;
      for (const [path, fields] of [
        ['/-/sign-in', { code }],
        ['/-/sign-out', {}],
        ['/-/token', {}],
      ] as const) {
        expect((await browser.post(path, fields, origin)).status).toBe(403);
      }
      expect((await browser.get('/-/drafts')).status).toBe(200);
    },
  );

  test('gets its script a token, which the API takes as the person’s own', async () => {
    const browser = await signIn();
    const { token: short, seconds } = JSON.parse((await browser.post('/-/token')).text);
    expect(seconds).toBe(300);
    const { drafts } = await served.api('/drafts/acme', { token: short });
    expect(drafts.map(({ reference }: { reference: string }) => reference)).toContain(
      'acme/secret@v1',
    );
    served.pass(301 * SECOND);
    expect((await served.fetch('/api/v1/drafts/acme', { token: short })).status).toBe(401);
  });

  test('is the only thing that a session is good for: the API knows no cookies', async () => {
    const { cookie } = await signIn();
    const headers = { cookie: cookie! };
    expect((await served.fetch('/api/v1/drafts/acme', { headers, token: null })).status).toBe(401);
  });
});
