import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { parseProviders, readProviders } from '../../../src/oidc/sign-in/providers-file.ts';

const DANA = {
  claims: { email: 'dana@acme.example' },
  subject: 'dana',
  namespace: 'acme',
  roles: ['reviewer'],
};
const OKTA = {
  name: 'okta',
  issuer: 'https://acme.okta.com',
  clientId: '0oa1',
  people: [DANA],
};
const parse = (list: unknown, allowLoopback = false) =>
  parseProviders(utf8(JSON.stringify(list)), 'sign-in.json', allowLoopback);
const withPerson = (changes: object) => [{ ...OKTA, people: [{ ...DANA, ...changes }] }];

describe('the list of providers', () => {
  test('has providers, and who people are here', () => {
    expect(parse([OKTA])).toEqual([
      { ...OKTA, scopes: ['openid', 'email'], clientSecretFile: undefined },
    ]);
    const everywhere = withPerson({ namespace: null });
    expect(parse(everywhere)[0]!.people[0]!.namespace).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['one twice', [OKTA, OKTA]],
    ['a name that is no part of an address', [{ ...OKTA, name: 'o/k' }]],
    ['an issuer without TLS', [{ ...OKTA, issuer: 'http://acme.okta.com' }]],
    ['an issuer on this machine', [{ ...OKTA, issuer: 'http://127.0.0.1:1' }]],
    ['a secret that stands in it', [{ ...OKTA, clientSecret: 'x' }]],
    ['scopes that are not OpenID’s', [{ ...OKTA, scopes: ['email'] }]],
    ['a member of another name', [{ ...OKTA, peple: [] }]],
    ['a person without a namespace', withPerson({ namespace: undefined })],
    ['a person who may do nothing', withPerson({ roles: [] })],
    ['an operator, who is made where the keys are', withPerson({ roles: ['operator'] })],
    ['a subject of two words', withPerson({ subject: 'dana d' })],
    ['everybody of a domain', withPerson({ claims: { hd: 'acme.example' } })],
    ['everybody', withPerson({ claims: {} })],
    ['whoever has verified an address', withPerson({ claims: { email: true } })],
    ['an empty address', withPerson({ claims: { email: '' } })],
    ['several addresses', withPerson({ claims: { email: ['a', 'b'] } })],
    ['no list', OKTA],
    ['too many', Array.from({ length: 17 }, (_, i) => ({ ...OKTA, name: `n${i}` }))],
  ])('with %s is refused', (_, list) => {
    expect(() => parse(list)).toThrowWithCode('bad-document');
  });

  test('has a provider on this machine where tests allow it', () => {
    expect(parse([{ ...OKTA, issuer: 'http://127.0.0.1:1' }], true)).toHaveLength(1);
  });
});

describe('a secret', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weighhouse-sign-in-'));
    await writeFile(join(folder, 'okta.secret'), 'hush\n');
    await writeFile(join(folder, 'empty.secret'), '\n');
  });
  afterAll(() => rm(folder, { recursive: true }));

  const read = async (clientSecretFile: string | undefined) => {
    const path = join(folder, 'sign-in.json');
    await writeFile(path, JSON.stringify([{ ...OKTA, clientSecretFile }]));
    return (await readProviders(path, false))[0]!.clientSecret;
  };

  test('lies beside the file, or anywhere, or there is none', async () => {
    expect(await read('okta.secret')).toBe('hush');
    expect(await read(join(folder, 'okta.secret'))).toBe('hush');
    expect(await read(undefined)).toBeUndefined();
  });

  test('that is missing or empty keeps the server from starting', async () => {
    await expect(read('none.secret')).rejects.toThrowWithCode('usage');
    await expect(read('empty.secret')).rejects.toThrowWithCode('usage');
    await expect(readProviders(join(folder, 'none.json'), false)).rejects.toThrowWithCode('usage');
  });
});
