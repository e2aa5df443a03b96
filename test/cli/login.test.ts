/** `login --web`: from a token on the command line to drafts in a browser. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Served } from '../made/served.ts';
import { SignedIn } from '../made/signed-in.ts';
import { makeWorld, run } from './command-line.ts';

let served: Served;
beforeAll(async () => {
  served = await Served.start();
});
afterAll(() => served.stop());

const login = (token: string | undefined, ...flags: string[]) => {
  const given = token === undefined ? [] : ['--token', token];
  return run(['login', ...flags, '--url', served.url, ...given], makeWorld());
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
