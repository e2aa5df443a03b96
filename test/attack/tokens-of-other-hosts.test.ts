/**
 * Tokens of other hosts, which clients send along by habit. Hugging Face clients have one for the
 * hub and send it wherever they are pointed: it must not come between them and what is public. Our
 * own API and OCI clients are told that their token is none of ours. Nobody's token is repeated.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { tokenKey } from '../../src/keyring/jwt.ts';
import { newEd25519Key } from '../../src/keyring/keys.ts';
import { issueToken } from '../../src/keyring/token.ts';
import { FAILURE } from '../made/refusal-forms.ts';
import { Served } from '../made/served.ts';

const CHANGING = ['date', 'x-request-id', 'connection', 'keep-alive'];
const base64 = (text: string) => Buffer.from(text).toString('base64');

let served: Served;
let ofAnother: string;
beforeAll(async () => {
  served = await Served.start();
  await served.publish('acme/tiny@v1', { 'a.txt': 'Hello.' });
  await served.push('acme/secret@v1', { 'a.txt': 'Not yet.' });
  const grant = { subject: 'mallory', roles: ['operator'], namespace: undefined } as const;
  const key = await tokenKey('another.test', newEd25519Key());
  ofAnother = (await issueToken(key, grant, 3600, Date.now())).token;
}, 30_000);
afterAll(() => served.stop());

const TOKENS: [string, () => string][] = [
  ['the hub', () => `Bearer hf_${'a'.repeat(34)}`],
  ['another registry', () => `Bearer ${ofAnother}`],
  ['GitHub', () => `Bearer ghp_${'b'.repeat(36)}`],
  ['an unsigned issuer', () => 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.'],
  ['a user of another host', () => `Basic ${base64('user:password')}`],
];

async function ask(path: string, authorization?: string) {
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  const response = await served.fetch(path, { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const steady = ({ status, headers, text }: Awaited<ReturnType<typeof ask>>) => {
  return [status, [...headers].filter(([name]) => !CHANGING.includes(name)), text];
};

describe.each(TOKENS)('a token of %s', (_, token) => {
  test.each([
    '/api/models',
    '/api/models/acme/tiny',
    '/api/models/acme/tiny/tree/main',
    '/acme/tiny/resolve/main/a.txt',
    '/acme/tiny/resolve/main/none',
    '/api/models/acme/secret',
    '/acme/secret/resolve/v1/a.txt',
  ])('makes no difference to %s', async (path) => {
    expect(steady(await ask(path, token()))).toEqual(steady(await ask(path)));
  });

  test('names nobody to the hub’s whoami', async () => {
    const refused = await ask('/api/whoami-v2', token());
    expect([refused.status, FAILURE.hub(refused)]).toEqual([401, 'NotAuthorised']);
  });

  test.each(['/v2/', '/v2/acme/tiny/tags/list', '/v2/acme/secret/manifests/v1', '/token'])(
    'is refused at %s, in the form of OCI',
    async (path) => {
      const refused = await ask(path, token());
      expect([refused.status, FAILURE.oci(refused)]).toEqual([401, 'UNAUTHORIZED']);
      expect(refused.headers.get('www-authenticate')).toContain(served.origin);
      expect(refused.text).not.toContain(token().split(' ')[1]);
    },
  );

  test.each(['/api/v1/releases', '/api/v1/drafts/acme/secret/v1'])(
    'is refused at %s, as a problem',
    async (path) => {
      const refused = await ask(path, token());
      expect([refused.status, FAILURE.own(refused)]).toEqual([401, 'not-authorised']);
      expect(refused.text).not.toContain(token().split(' ')[1]);
    },
  );
});

test('no token is written to the server’s log', async () => {
  for (const [, token] of TOKENS) {
    await ask('/v2/', token());
    expect(served.logged.join('\n')).not.toContain(token().split(' ')[1]);
  }
});
