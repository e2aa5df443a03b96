/** Owners, two of whom sign a change, void what stands in the log under the label of somebody's key. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { GateApi } from '../../src/client/gate-api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { parseDigest } from '../../src/core/digest.ts';
import { decisionLabel } from '../../src/core/release/commitment.ts';
import { parseSpkiBase64 } from '../../src/core/statement/public-key.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { type GatedHome, makeGatedHome } from './gated-home.ts';

let home: GatedHome;
let reference: string;
let digest: string;
let folder: string;
/** Of a commitment that nobody can open. */
let label: string;

beforeAll(async () => {
  home = await makeGatedHome(['ada', 'bob']);
}, 30_000);

afterAll(() => home.remove());

beforeEach(async () => {
  ({ reference, digest, folder } = await home.push());
  label = await squat('bob', digest);
});

/** What anybody can do who knows the digest: log something under the label of another's key. */
async function squat(id: string, about: string): Promise<string> {
  const url = parseRegistryUrl(home.env.WEIGHHOUSE_URL!);
  const api = new GateApi({ url, token: home.env.WEIGHHOUSE_TOKEN });
  const spki = parseSpkiBase64(home.keys.get(id)!.spki);
  const taken = decisionLabel(nodeHost, parseDigest(about), spki, 0);
  await api.commit({ label: taken, commit: '00'.repeat(32) });
  return taken;
}

const bobs = () => ['--key', home.path('bob.key')];
const file = (name: string) => home.path(`${name}-${label.slice(0, 8)}.dsse`);
const lacks = async () =>
  ((await home.json('status', reference)).missing as { need: string }[]).map(({ need }) => need);

describe('a commitment that nobody opens', () => {
  test('is voided by two owners, who sign the same words one after the other', async () => {
    const { stdout } = await home.run('status', reference);
    expect(stdout).toContain(`weighhouse void acme ${label} --reason …`);
    const reason = ['--reason', 'Bob lost it'];
    const first = await home.run('void', 'acme', label, ...reason, '--sign-only', file('ada'));
    expect(first).toMatchObject({ status: 0 });
    expect(first.stdout).toContain(`weighhouse void acme ${label} --signed ${file('ada')} --key …`);
    expect(await lacks()).toContain('unopened');
    const last = ['void', 'acme', label, '--signed', file('ada'), ...bobs()];
    const voided = await home.run(...last);
    expect(voided).toMatchObject({ status: 0 });
    expect(voided.stderr).toContain('Bob lost it');
    expect(await lacks()).toEqual(['approval', 'intent']);
    const again = await home.json(...last);
    expect(again).toMatchObject({ namespace: 'acme', label, reason: 'Bob lost it' });
    expect(voided.stdout).toContain(`entry ${again.index} of the log`);

    await home.json('approve', reference, '--digest', digest);
    await home.json('publish', reference, '--digest', digest);
    expect(await home.json('audit')).toMatchObject({ ok: true, violations: [] });
  }, 30_000);

  test('is not voided by one of them, not even twice', async () => {
    const alone = ['void', 'acme', label, '--reason', 'Because'];
    const one = await home.run(...alone);
    expect(one.status).toBe(13);
    expect(one.stderr).toContain('2 owners must sign this, and 1 did');
    expect(one.stderr).toContain('--sign-only');
    await home.json(...alone, '--sign-only', file('ada'));
    expect((await home.run('void', 'acme', label, '--signed', file('ada'))).status).toBe(11);
    expect(await lacks()).toContain('unopened');
  });

  test('is voided with a reason, and all owners give the same one', async () => {
    const none = await home.run('void', 'acme', label);
    expect(none.status).toBe(2);
    expect(none.stderr).toContain('--reason');
    await home.json('void', 'acme', label, '--reason', 'One', '--sign-only', file('ada'));
    const last = ['void', 'acme', label, ...bobs(), '--signed', file('ada')];
    const other = await home.run(...last, '--reason', 'Two');
    expect(other.status).toBe(2);
    expect(other.stderr).toContain('says: One');
    await home.json('void', 'acme', label, '--reason', 'One', '--sign-only', file('anew'));
    expect((await home.run(...last, '--signed', file('anew'))).status).toBe(20);
  });

  test('is named by its own label, in files that void that one', async () => {
    expect((await home.run('void', 'acme', 'ab', '--reason', 'x')).status).toBe(2);
    const other = 'ab'.repeat(32);
    await home.json('void', 'acme', other, '--reason', 'x', '--sign-only', file('other'));
    const wrong = await home.run('void', 'acme', label, '--signed', file('other'), ...bobs());
    expect(wrong.status).toBe(20);
    expect(wrong.stderr).toContain(`voids ${other}`);
    const nowhere = ['void', 'acme', other, '--signed', file('other'), ...bobs()];
    expect((await home.run(...nowhere)).status).toBe(4);
    const policy = ['namespace', 'create', 'acme', '--policy', home.path('acme.json')];
    await home.json(...policy, '--sign-only', file('policy'));
    expect((await home.run('void', 'acme', label, '--signed', file('policy'))).status).toBe(20);
  });
});

test('whoever’s label was taken is told so, and decides about the next revision', async () => {
  const approve = ['approve', reference, ...bobs(), '--digest'];
  const refused = await home.run(...approve, digest);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain('your decision 0 on this digest is in the log');
  await writeFile(`${folder}/README.md`, 'Another revision.\n');
  const next = await home.json('push', folder, reference);
  expect(next.digest).not.toBe(digest);
  expect(await home.json(...approve, `${next.digest}`)).toMatchObject({ n: 0, recorded: true });
  // What nobody opened about the earlier revision still blocks.
  expect(await lacks()).toContain('unopened');
  await home.json('void', 'acme', label, '--reason', 'Taken', '--sign-only', file('ada'));
  await home.json('void', 'acme', label, '--signed', file('ada'), ...bobs());
  expect(await lacks()).not.toContain('unopened');
});
