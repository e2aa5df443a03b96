/** A `kid` is a key of a map. It names no file, no address, and no property of an object. */
import { expect, test } from '@jest/globals';
import { useTrustedPublishing } from '../made/trusted-publishing.ts';

const publishing = useTrustedPublishing();

test.each([
  '../../../../etc/passwd',
  '/dev/null',
  'first/../first',
  "first' OR '1'='1",
  'FIRST',
  'first ',
  '',
  '__proto__',
  'constructor',
  'toString',
  'http://127.0.0.1/keys',
  'k'.repeat(600),
])('a right signature under the kid %j is refused', async (kid) => {
  const { issuer } = publishing();
  await publishing().refuses(await publishing().token({}, { kid }));
  const known = ['/.well-known/openid-configuration', '/keys'];
  expect(issuer.requests.filter((path) => !known.includes(path))).toEqual([]);
});

test('a token without a kid is refused, though there is only one key', async () => {
  await publishing().refuses(await publishing().token({}, { kid: undefined } as never));
});

test('two keys of one name are no key', async () => {
  const { issuer } = publishing();
  issuer.keys.push(issuer.keys[0]!);
  const { status, body } = await publishing().exchange(await publishing().token());
  expect([status, body.code]).toEqual([502, 'network']);
});
