/** An operator who shows a reviewer other bytes than those that will be released. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type GatedHome, makeGatedHome } from '../cli/gated-home.ts';
import { LyingProxy } from '../made/lying-proxy.ts';

type Pushed = Awaited<ReturnType<GatedHome['push']>>;

let home: GatedHome;
let operator: LyingProxy;
let mine: Pushed;
let other: Pushed;

beforeAll(async () => {
  home = await makeGatedHome();
  mine = await home.push();
  other = await home.push();
  operator = await LyingProxy.start(home.env.WEIGHHOUSE_URL!);
  home.env.WEIGHHOUSE_URL = operator.url;
}, 30_000);
afterEach(async () => {
  // Nothing was signed, and nothing committed.
  expect(await home.json('receipts', 'check')).toMatchObject({ receipts: [] });
  expect(operator.requests).not.toContain('POST /api/v1/commitments');
});
afterAll(async () => {
  await operator.close();
  await home.remove();
});

const approve = (digest: string) => home.run('approve', mine.reference, '--digest', digest);

/** Says that what is sealed is what is sealed under the other name. */
function swap(also: (path: string) => Promise<unknown> | undefined = () => undefined): void {
  operator.lie = ({ path }, honest) =>
    path.endsWith('/1/decisions')
      ? honest().then((draft) => ({ ...draft, digest: other.digest }))
      : also(path);
}

test('who names the digest that they looked at signs nothing about another one', async () => {
  swap();
  const { status, stderr } = await approve(mine.digest);
  expect(status).toBe(13);
  expect(stderr).toContain(
    `${mine.reference} is sealed as ${other.digest}, not as ${mine.digest}: nothing was signed; look at what changed before you name the other`,
  );
});

test('who was told the other digest is shown that it is not of this draft', async () => {
  const token = { authorization: `Bearer ${home.env.WEIGHHOUSE_TOKEN}` };
  const path = '/api/v1/drafts/acme/tiny/2/manifest.json';
  const manifest = await (await fetch(operator.url + path, { headers: token })).json();
  swap((asked) => (asked.endsWith('/1/manifest.json') ? Promise.resolve(manifest) : undefined));
  const { status, stderr } = await approve(other.digest);
  expect(status).toBe(11);
  expect(stderr).toContain(
    `${other.digest} is not revision 1 of ${mine.reference} at models.example; nothing was signed`,
  );
});

test('a manifest that is not the digest’s is not believed', async () => {
  swap();
  const { status, stderr } = await approve(other.digest);
  expect(status).toBe(11);
  expect(stderr).toContain(
    `the registry shows a manifest of ${mine.reference} that does not have the digest ${other.digest}; nothing was signed`,
  );
});
