/** `login` and `logout`: from a browser to a token on the command line, and from a token to a browser. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Served } from '../made/served.ts';
import { SignedIn } from '../made/signed-in.ts';
import { type Home, makeHome, makeWorld, run } from './command-line.ts';

let served: Served;
beforeAll(async () => {
  served = await Served.start({ parts: { pollSeconds: 0 } });
});
afterAll(() => served.stop());

describe('login --web', () => {
  const login = (token: string | undefined, ...flags: string[]) => {
    const given = token === undefined ? [] : ['--token', token];
    const nowhere = { XDG_CONFIG_HOME: '/nonexistent' };
    return run(['login', ...flags, '--url', served.url, ...given], makeWorld(nowhere));
  };

  test('prints a link that signs in', async () => {
    const { status, stdout, stderr } = await login(served.publisher, '--web');
    expect([status, stderr]).toEqual([0, expect.stringContaining('within a minute')]);
    const browser = new SignedIn(served);
    const link = stdout.trim().slice(served.url.length);
    expect((await browser.get(link)).text).toContain('Sign in?');
    expect((await browser.confirm(link)).status).toBe(303);
    expect((await browser.get('/-/drafts')).status).toBe(200);
  });

  test('says what it is for without --web, and what it takes without a token', async () => {
    const bare = await login(served.publisher);
    expect([bare.status, bare.stderr]).toEqual([2, expect.stringContaining('login --web')]);
    const nobody = await login(undefined, '--web');
    expect([nobody.status, nobody.stderr]).toEqual([3, expect.stringContaining('--token')]);
  });
});

describe('login', () => {
  let home: Home;
  beforeEach(async () => {
    home = await makeHome();
  });
  afterEach(() => home.remove());

  /** Runs it, and answers the code that it shows as somebody who is signed in. */
  async function login(verdict: 'let-in' | 'refuse', ...flags: string[]) {
    const world = makeWorld({ ...home.env, WEIGHHOUSE_URL: served.url });
    const running = run(['login', ...flags], world);
    await Promise.race([world.hears('type this code: '), running]);
    const [, code = ''] = /code: ([A-Z]{4}-[A-Z]{4})/.exec(world.said().stderr) ?? [];
    const { token } = await served.token({ roles: ['publisher', 'reviewer'], subject: 'dana' });
    const dana = await SignedIn.as(served, token);
    await dana.post('/-/device', { code, verdict, same: 'yes' });
    return running;
  }

  const tokens = () => home.path('config', 'weighhouse', 'tokens');
  const url = () => ['--url', served.url];

  test('keeps a token that every command takes from then on, until logout', async () => {
    expect((await home.run('status', 'acme/none@v1', ...url())).status).toBe(3);
    const { status, stdout } = await login('let-in');
    expect([status, stdout]).toEqual([
      0,
      expect.stringContaining(`logged in to ${served.url} until`),
    ]);
    expect((await home.run('status', 'acme/none@v1', ...url())).status).toBe(4);
    expect((await home.run('login', '--web', ...url())).status).toBe(0);

    const [name] = await readdir(tokens());
    expect(name).toBe(`${encodeURIComponent(served.url)}.json`);
    expect((await stat(home.path('config', 'weighhouse', 'tokens', name!))).mode & 0o777).toBe(
      0o600,
    );
    expect((await stat(tokens())).mode & 0o777).toBe(0o700);

    expect((await home.json('logout', ...url())).forgotten).toBe(true);
    expect(await readdir(tokens())).toEqual([]);
    expect((await home.run('status', 'acme/none@v1', ...url())).status).toBe(3);
    expect((await home.json('logout', ...url())).forgotten).toBe(false);
  });

  test('keeps nothing when the person says no', async () => {
    const { status, stderr } = await login('refuse');
    expect([status, stderr]).toEqual([3, expect.stringContaining('said no')]);
    await expect(readdir(tokens())).rejects.toThrow('ENOENT');
  });

  test('asks for the roles that are named, and no other', async () => {
    await login('let-in', '--role', 'reviewer');
    const [name] = await readdir(tokens());
    const kept = JSON.parse(
      await readFile(home.path('config', 'weighhouse', 'tokens', name!), 'utf8'),
    );
    const [, claims = ''] = kept.token.split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      sub: 'dana',
      roles: ['reviewer'],
      ns: 'acme',
    });
  });

  test('gives its token to no other registry, and none that has ended', async () => {
    await login('let-in');
    const other = await Served.start();
    try {
      const asked = await home.run('status', 'acme/none@v1', '--url', other.url);
      expect(asked.status).toBe(3);
    } finally {
      await other.stop();
    }
    const [name] = await readdir(tokens());
    const path = home.path('config', 'weighhouse', 'tokens', name!);
    const kept = JSON.parse(await readFile(path, 'utf8'));
    const ended = { expires: '2026-01-01T00:00:00.000Z', token: kept.token, url: kept.url, v: 1 };
    await writeFile(path, JSON.stringify(ended));
    expect((await home.run('status', 'acme/none@v1', ...url())).status).toBe(3);
    await writeFile(path, JSON.stringify({ ...ended, url: 'https://elsewhere.example' }));
    expect((await home.run('status', 'acme/none@v1', ...url())).stderr).toContain(
      'is the token of',
    );
  });
});
