/** The file of providers that people sign in with, as operators give it to `serve`. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Home, makeHome, makeWorld, run } from './command-line.ts';

let operator: Home;
let serve: readonly string[];
beforeAll(async () => {
  operator = await makeHome();
  const where = ['--store', operator.path('store'), '--keys', operator.path('keys')];
  await operator.json('init', ...where, '--origin', 'models.example', '--no-passphrase');
  serve = ['serve', ...where, '--listen', '127.0.0.1:0', '--index', operator.path('index')];
}, 60_000);
afterAll(() => operator.remove());

const OKTA = { name: 'okta', issuer: 'https://acme.okta.com', clientId: 'c', people: [] };

describe('a file of providers', () => {
  test.each<[string, unknown, number]>([
    ['that is not there', undefined, 2],
    ['whose secret is not there', [{ ...OKTA, clientSecretFile: 'nothing' }], 2],
    ['with a provider on this machine', [{ ...OKTA, issuer: 'http://127.0.0.1:1' }], 20],
    ['with something unknown', [{ ...OKTA, x: 1 }], 20],
  ])('%s stops the server from starting', async (_, list, status) => {
    const file = operator.path('list.json');
    if (list !== undefined) await writeFile(file, JSON.stringify(list));
    const given = list === undefined ? operator.path('none') : file;
    const ran = await operator.run(...serve, '--sign-in', given);
    expect([ran.status, ran.stdout]).toEqual([status, '']);
  });

  test('makes buttons, also where a variable names it', async () => {
    const file = operator.path('sign-in.json');
    await writeFile(file, JSON.stringify([OKTA]));
    const server = makeWorld({ ...operator.env, WEIGHHOUSE_SIGN_IN: file });
    const serving = run([...serve], server);
    await Promise.race([server.hears('listening on '), serving]);
    const url = server.said().stdout.trim().replace('listening on ', '');
    const page = await fetch(`${url}/-/sign-in`, { headers: { accept: 'text/html' } });
    expect(await page.text()).toContain('Sign in with okta');
    server.stop();
    await serving;
  });
});
