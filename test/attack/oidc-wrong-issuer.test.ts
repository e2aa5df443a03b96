/** An issuer is on the operator's list, letter by letter, and speaks for itself alone. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MadeIssuer } from '../made/issuer.ts';
import { useTrustedPublishing } from '../made/trusted-publishing.ts';

const publishing = useTrustedPublishing();

let stranger: MadeIssuer;
beforeEach(async () => {
  stranger = await MadeIssuer.start();
});
afterEach(() => stranger.close());

test('an issuer that is not listed is refused, and never asked for anything', async () => {
  const key = stranger.keys[0]!;
  await publishing().refuses(await publishing().token({ iss: stranger.url }, {}, key));
  expect(stranger.requests).toEqual([]);
});

test('a stranger’s signature under a trusted issuer’s name is refused', async () => {
  await publishing().refuses(await publishing().token({}, {}, stranger.keys[0]!));
});

test('another spelling of a trusted issuer is another issuer', async () => {
  const { url } = publishing().issuer;
  const { port } = new URL(url);
  for (const iss of [
    `${url}/`,
    `${url}/.`,
    `${url}?`,
    `${url}#`,
    url.toUpperCase(),
    `http://localhost:${port}`,
    `${url}@elsewhere.test`,
    ` ${url}`,
    [url],
    undefined,
  ]) {
    await publishing().refuses(await publishing().token({ iss }));
  }
});

test('a configuration that names another issuer is not believed', async () => {
  const { issuer } = publishing();
  for (const named of [stranger.url, `${issuer.url}/`]) {
    issuer.answer = (request, response) => {
      if (request.url === '/keys') return false;
      response.end(JSON.stringify({ issuer: named, jwks_uri: `${issuer.url}/keys` }));
      return true;
    };
    const { status, body } = await publishing().exchange(await publishing().token());
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
    expect(issuer.asked).toBe(0);
    publishing().pass(60_000);
  }
});
