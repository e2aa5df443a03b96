/**
 * An operator who keeps two logs: one, with the objection, is shown to its signer; in the other
 * one the release was never objected to. Both are signed with the same key, which is the proof.
 */
import { cp } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type GatedHome, makeGatedHome } from '../cli/gated-home.ts';

let home: GatedHome;
/** Of the objection. */
let index: number;

beforeAll(async () => {
  home = await makeGatedHome();
  const { reference, digest } = await home.push();
  const about = [reference, '--digest', digest];
  await home.json('approve', ...about);
  await cp(home.path('store'), home.path('fork'), { recursive: true });
  const objection = await home.json('object', ...about, '--reason', 'A licence');
  index = Number(objection.index);
  await home.json('audit', '--state', home.path('audit.state'));
  home.env.WEIGHHOUSE_URL = await home.serve('fork');
  await somebodyElse(() => home.json('publish', ...about));
}, 30_000);

afterAll(() => home.remove());

/** On a machine that has seen nothing of the registry yet. */
async function somebodyElse<T>(act: () => Promise<T>): Promise<T> {
  const own = home.env.XDG_CONFIG_HOME;
  home.env.XDG_CONFIG_HOME = home.path('elsewhere');
  const trust = ['trust', 'add', home.env.WEIGHHOUSE_URL!, '--fingerprint'];
  try {
    const [pin] = (await withConfig(own!, () => home.json('trust', 'list'))).registries as {
      fingerprint: string;
    }[];
    await home.json(...trust, pin!.fingerprint);
    return await act();
  } finally {
    home.env.XDG_CONFIG_HOME = own;
  }
}

async function withConfig<T>(config: string, act: () => Promise<T>): Promise<T> {
  const before = home.env.XDG_CONFIG_HOME;
  home.env.XDG_CONFIG_HOME = config;
  try {
    return await act();
  } finally {
    home.env.XDG_CONFIG_HOME = before;
  }
}

const failure = (stderr: string, stdout: string) => JSON.parse(stdout || stderr).error;

test('whoever saw the first log is told of the fork, with both checkpoints', async () => {
  const { status, stdout, stderr } = await home.run('receipts', 'check', '--json');
  expect(status).toBe(12);
  const { code, message, details } = failure(stderr, stdout);
  expect([code, message]).toEqual(['fork', expect.stringMatching(/fork|two|consistent/)]);
  expect(details.checkpoints).toHaveLength(2);
});

test('an audit that goes on from what it saw says so, with both checkpoints', async () => {
  const { status, stdout } = await somebodyElse(() =>
    home.run('audit', '--state', home.path('audit.state'), '--json'),
  );
  expect(status).toBe(12);
  const { violations } = JSON.parse(stdout);
  expect(violations).toMatchObject([{ code: 'fork' }]);
});

test('who has nothing left but the receipt finds that the log does not hold it', async () => {
  const receipts = ['weighhouse', 'receipts'];
  await cp(home.path('config', ...receipts), home.path('elsewhere', ...receipts), {
    recursive: true,
  });
  const evidence = home.path('missing-');
  const { status, stdout } = await somebodyElse(() =>
    home.run('receipts', 'check', '--evidence', evidence),
  );
  expect(status).toBe(12);
  expect(stdout).toContain('THE LOG DOES NOT HOLD IT');
  expect(stdout).toContain(`evidence is in ${evidence}`);
  expect(index).toBeGreaterThan(0);
});
