/** A job is trusted for the exact values of the claims that were named: nothing near them will do. */
import { expect, test } from '@jest/globals';
import { JOB, useTrustedPublishing } from '../made/trusted-publishing.ts';

const publishing = useTrustedPublishing();

test.each(Object.keys(JOB))('a token without the claim %s is refused', async (name) => {
  await publishing().refuses(await publishing().token({ [name]: undefined }));
});

test.each([
  'acme/tiny2',
  'acme/tin',
  'Acme/Tiny',
  ' acme/tiny',
  'acme/tiny\n',
  'acme/tiny/',
  'acme/*',
  '',
  ['acme/tiny'],
  { 0: 'acme/tiny' },
  true,
  7,
  null,
])('the repository %j is not the one', async (repository) => {
  await publishing().refuses(await publishing().token({ repository }));
});

test('what the token says beside the named claims does not matter', async () => {
  const more = { actor: 'somebody', run_id: '7', nested: { repository: 'evil/evil' } };
  expect((await publishing().exchange(await publishing().token(more))).status).toBe(200);
});

test('a claim that stands twice is refused, though the last one would do', async () => {
  const claims = JSON.stringify(publishing().claims({ repository: 'evil/evil' }));
  const twice = claims.replace(/}$/, ',"repository":"acme/tiny"}');
  const header = { alg: 'ES256', kid: 'first', typ: 'JWT' };
  await publishing().refuses(await publishing().issuer.signText(header, twice));
});

test('a job of one namespace is nobody in another', async () => {
  await publishing().served.createNamespace('other');
  const token = await publishing().token();
  const { body } = await publishing().exchange(token, { scope: 'push:other' });
  expect(body.error).toBe('invalid_grant');
});
