/** An issuer cannot send this server to an address inside: not by a redirect, a document or its name. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { nodeHost } from '../../src/hashing/host.ts';
import { internet } from '../../src/oidc/address.ts';
import { openIdentities } from '../../src/oidc/identity.ts';
import { parseIssuers } from '../../src/oidc/issuers.ts';
import { makeIssuerKey } from '../made/issuer.ts';
import { testNetwork, useTrustedPublishing } from '../made/trusted-publishing.ts';

const publishing = useTrustedPublishing();

let inside: Server;
let visits: number;
let address: string;
beforeEach(async () => {
  visits = 0;
  inside = createServer((_, response) => {
    visits++;
    response.end(JSON.stringify({ keys: publishing().issuer.keys.map(({ jwk }) => jwk) }));
  });
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(inside.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => inside.close(resolve)));

/** The issuer answers the path with `status`, a location and a body. */
function answer(path: string, status: number, document: unknown): void {
  publishing().issuer.answer = (request, response) => {
    if (request.url !== path) return false;
    response.writeHead(status, { location: `${address}/keys` });
    response.end(JSON.stringify(document));
    return true;
  };
}

test.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (status) => {
  for (const path of ['/keys', '/.well-known/openid-configuration']) {
    answer(path, status, { keys: [] });
    const refused = await publishing().exchange(await publishing().token());
    expect([refused.status, refused.body.code]).toEqual([502, 'network']);
    expect(visits).toBe(0);
    publishing().pass(60_000);
  }
});

test.each([
  'http://169.254.169.254/latest/meta-data',
  'https://169.254.169.254/keys',
  'https://10.0.0.1/keys',
  'https://[fd00:ec2::254]/keys',
  'https://[::ffff:10.0.0.1]/keys',
  'https://2852039166/keys',
  'https://0xa9.0xfe.0xa9.0xfe/keys',
  'https://0/keys',
  'file:///etc/passwd',
  'gopher://127.0.0.1/',
  'https://user:password@10.0.0.1/keys',
])('a configuration that sends us to %s is refused', async (jwks_uri) => {
  const { issuer } = publishing();
  answer('/.well-known/openid-configuration', 200, { issuer: issuer.url, jwks_uri });
  const refused = await publishing().exchange(await publishing().token());
  expect(refused.body).toMatchObject({ error: expect.stringMatching(/^invalid_/) });
  expect(refused.status).toBe(400);
});

describe('a name', () => {
  const key = makeIssuerKey('first');

  async function open(
    resolve: (host: string) => Promise<readonly string[]>,
    allowLoopback = false,
  ) {
    const { port } = new URL(address);
    const url = `${allowLoopback ? 'http' : 'https'}://issuer.test:${port}`;
    const listed = { issuer: url.replace('http:', 'https:'), jwks_uri: url, algorithms: ['ES256'] };
    const list = new TextEncoder().encode(JSON.stringify([listed]));
    const issuers = parseIssuers(list, 'the list', allowLoopback);
    const network = allowLoopback ? testNetwork({ resolve }) : { ...internet, resolve };
    const identities = openIdentities(nodeHost, issuers, network);
    const { issuer } = publishing();
    const token = await issuer.sign(
      publishing().claims({ iss: listed.issuer }),
      {},
      { ...(await key), kid: 'first' },
    );
    return identities.open(token, Date.now());
  }

  test.each([
    [['127.0.0.1']],
    [['10.1.2.3']],
    [['::1']],
    [['93.184.215.14', '10.1.2.3']],
    [['2606:2800:21f:cb07:6820:80da:af6b:8b2c', 'fe80::1']],
  ])('that stands for %j is not asked, not even at its public address', async (addresses) => {
    await expect(open(async () => addresses)).rejects.toThrowWithCode('untrusted');
    expect(visits).toBe(0);
  });

  test('is resolved once: what it stands for a moment later does not matter', async () => {
    let asked = 0;
    const rebinding = async () => (++asked === 1 ? ['127.0.0.1'] : ['10.0.0.1']);
    // Its keys are not the forger's; what counts here is that they came from where it was looked.
    await expect(open(rebinding, true)).rejects.toThrowWithCode('not-authorised');
    expect([asked, visits]).toEqual([1, 1]);
  });

  test('over plain http is asked on this machine or nowhere', async () => {
    const open93 = open(async () => ['93.184.215.14'], true);
    await expect(open93).rejects.toThrowWithCode('untrusted');
  });
});
