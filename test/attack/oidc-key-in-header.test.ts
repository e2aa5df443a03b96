/** A token brings no key along and names no place to get one; nothing is asked anywhere for it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type MadeIssuerKey, makeIssuerKey } from '../made/issuer.ts';
import { useTrustedPublishing } from '../made/trusted-publishing.ts';

const publishing = useTrustedPublishing();

let forger: MadeIssuerKey;
let stranger: Server;
let visits: number;
let address: string;
beforeEach(async () => {
  visits = 0;
  forger = await makeIssuerKey('first');
  stranger = createServer((_, response) => {
    visits++;
    response.end(JSON.stringify({ keys: [forger.jwk] }));
  });
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}/keys`;
});
afterEach(() => new Promise((resolve) => stranger.close(resolve)));

test.each(['jwk', 'jku', 'x5u', 'x5c'])('a key given by %s is refused', async (member) => {
  const values: Record<string, unknown> = {
    jwk: forger.jwk,
    jku: address,
    x5u: address,
    x5c: ['MIIB'],
  };
  const header = { [member]: values[member] };
  await publishing().refuses(await publishing().token({}, header, forger));
  // Not even beside a right signature: nobody who is honest sends it.
  await publishing().refuses(await publishing().token({}, header));
  expect(visits).toBe(0);
});

test.each([
  ['crit', ['exp']],
  ['b64', true],
  ['zip', 'DEF'],
  ['cty', 'JWT'],
  ['typ', 'weighhouse+jwt'],
  ['typ', 'logout+jwt'],
  ['something', 'new'],
])('a header with %s %j is refused', async (member, value) => {
  const header = { alg: 'ES256', kid: 'first', typ: 'JWT', [member]: value };
  const claims = JSON.stringify(publishing().claims());
  await publishing().refuses(await publishing().issuer.signText(header, claims));
});

test('the same, signed in the same way without such a member, is taken', async () => {
  const header = { alg: 'ES256', kid: 'first', typ: 'JWT' };
  const claims = JSON.stringify(publishing().claims());
  const token = await publishing().issuer.signText(header, claims);
  expect((await publishing().exchange(token)).status).toBe(200);
});
