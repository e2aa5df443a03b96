/** A digest is 64 lower-case hex digits, nothing else ever becomes a path (ollama CVE-2024-37032). */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeHome } from '../cli/command-line.ts';
import { rawGet } from '../made/raw-http.ts';
import { Served } from '../made/served.ts';

const FORGED = [
  'sha256:../../../../private/lock',
  'sha256:..%2f..%2f..%2fprivate%2flock',
  `sha256:${'A'.repeat(64)}`,
  `sha256:${'a'.repeat(63)}`,
  `sha256:${'a'.repeat(64)}/../x`,
  `sha256:${'a'.repeat(64)}%00`,
  `sha512:${'a'.repeat(128)}`,
  `sha256-${'a'.repeat(64)}`,
];

let served: Served;
beforeAll(async () => {
  served = await Served.start();
  await served.publish('acme/tiny@v1', { 'README.md': 'Hello.' });
});
afterAll(() => served.stop());

test.each(FORGED)('%s finds nothing at any route that takes a digest', async (forged) => {
  for (const path of [
    `/api/v1/releases/acme/tiny/${forged}`,
    `/api/v1/releases/acme/tiny/${forged}/manifest.json`,
    `/api/v1/releases/acme/tiny/v1/reports/${forged}`,
  ]) {
    const answer = await rawGet(served.port, path);
    expect([path, answer]).toEqual([path, expect.stringMatching(/^HTTP\/1\.1 40[04] /)]);
    expect(answer).toMatch(/"code":"(not-found|bad-[a-z]+)"/);
    expect(answer).not.toContain(served.folder);
  }
});

test.each(FORGED)('%s is refused as what to publish', async (digest) => {
  const { token } = await served.token({ roles: ['publisher'] });
  const path = '/api/v1/drafts/acme/tiny/v1/publish';
  const response = await served.fetch(path, { method: 'POST', token, json: { digest } });
  const { code, detail } = (await response.json()) as Record<string, string>;
  expect([response.status, code]).toEqual([400, 'bad-document']);
  expect(detail).toMatch(/^the request body, field digest: /);
});

test('the command line refuses it before it asks anybody', async () => {
  const home = await makeHome();
  const { status, stderr } = await home.run('pull', `acme/tiny@${FORGED[0]}`, home.path('x'));
  expect([status, stderr]).toEqual([
    20,
    'error: the reference’s digest must be sha256: and 64 lower-case hex digits\n',
  ]);
  await home.remove();
});
