/**
 * Deciding as people type it. One registry with one gated namespace serves the whole file; each
 * test pushes a draft of its own.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { formatReceipt, parseReceipt } from '../../src/client/receipts.ts';
import { makeWorld, type Ran, run } from './command-line.ts';
import { type GatedHome, makeGatedHome, ORIGIN } from './gated-home.ts';

let home: GatedHome;
let reference: string;
let digest: string;

beforeAll(async () => {
  home = await makeGatedHome();
  await writeFile(home.path('report.json'), '{}');
}, 30_000);

afterAll(() => home.remove());

beforeEach(async () => {
  ({ reference, digest } = await home.push());
});

const json = (...argv: string[]) => home.json(...argv, '--digest', digest);

/** Types a command on a terminal, and answers its question. */
async function type(argv: readonly string[], question: string, answer: string): Promise<Ran> {
  const world = makeWorld(home.env);
  world.stdin.isTTY = true;
  world.stderr.isTTY = true;
  const running = run(argv, world);
  await world.hears(question);
  world.stdin.write(`${answer}\n`);
  return running;
}

const folderOfReceipts = () => home.path('config', 'weighhouse', 'receipts', ORIGIN);
async function receiptOf(label: unknown) {
  const path = `${folderOfReceipts()}/${label}.json`;
  return { path, receipt: parseReceipt(new Uint8Array(await readFile(path)), path) };
}

describe('consent', () => {
  test('on a terminal is asked for, with what is signed in view', async () => {
    const before = await readdir(folderOfReceipts()).catch(() => []);
    const no = await type(['approve', reference], 'Type yes: ', 'no');
    expect(no.status).toBe(130);
    expect(no.stderr).toContain(digest);
    expect(no.stderr).toContain('these bytes may be released');
    expect(await readdir(folderOfReceipts()).catch(() => [])).toEqual(before);
    const yes = await type(['approve', reference], 'Type yes: ', 'yes');
    expect(yes).toMatchObject({ status: 0 });
    expect(yes.stdout).toContain(`recorded: approve of ${reference}`);
    expect(yes.stdout).toContain(`weighhouse status ${reference}`);
  });

  test('elsewhere is the digest, and that of something else is refused', async () => {
    const nobody = await home.run('approve', reference);
    expect(nobody.status).toBe(2);
    expect(nobody.stderr).toContain('--digest');
    const other = `sha256:${'0'.repeat(64)}`;
    const refused = await home.run('approve', reference, '--digest', other);
    expect(refused.status).toBe(13);
    expect(refused.stderr).toContain('nothing was signed');
  });

  test('is nothing without a key, a token and a pinned registry', async () => {
    const without = async (changes: NodeJS.ProcessEnv) => {
      const env = { ...home.env, ...changes };
      return (await run(['approve', reference, '--digest', digest], makeWorld(env))).status;
    };
    expect(await without({ WEIGHHOUSE_KEY: '' })).toBe(2);
    expect(await without({ WEIGHHOUSE_TOKEN: '' })).toBe(3);
    expect(await without({ XDG_CONFIG_HOME: home.path('nobody') })).toBe(11);
  });
});

describe('what stops a release', () => {
  test('is lifted by its digest where there are several, and by itself where there is one', async () => {
    const first = await json('hold', reference, '--reason', 'One');
    const second = await json('object', reference, '--reason', 'Two');
    const lift = ['lift', reference, '--reason', 'Done'];
    const which = await home.run(...lift, '--digest', digest);
    expect(which.status).toBe(2);
    expect(which.stderr).toContain(`--decision ${first.envelope} (hold: One)`);
    await json(...lift, '--decision', `${second.envelope}`);
    await json(...lift);
    expect((await home.run(...lift, '--digest', digest)).status).toBe(4);
  });

  test('is asked for again where it was lifted by whom the policy does not let', async () => {
    const { envelope } = await json('hold', reference, '--reason', 'Wait');
    const lift = ['lift', reference, '--reason', 'Mine', '--digest', digest];
    expect((await home.run(...lift, '--key', home.path('bob.key'))).status).toBe(0);
    expect((await home.run(...lift)).status).toBe(0);
    expect((await home.run('status', reference)).stdout).not.toContain(`--decision ${envelope}`);
    const nothing = `sha256:${'0'.repeat(64)}`;
    expect((await home.run(...lift, '--decision', nothing)).status).toBe(4);
  });

  test('takes a date that there is, and none that has passed', async () => {
    const until = ['postpone', reference, '--reason', 'Tests', '--digest', digest, '--until'];
    for (const wrong of ['soon', '2026-02-30', '2026-13-01', '2026-02-01T10:00:00']) {
      expect({ wrong, ...(await home.run(...until, wrong)) }).toMatchObject({ status: 2 });
    }
    const passed = await home.run(...until, '2020-02-01');
    expect(passed).toMatchObject({ status: 2 });
    expect(passed.stderr).toContain('has passed');
    expect((await home.run(...until, '2099-02-01T10:00Z')).status).toBe(0);
    const { stdout } = await home.run('status', reference);
    expect(stdout).toContain('next: 2099-02-01T10:00:00.000Z');
  });
});

test('an announcement names a date, and is a release manager’s', async () => {
  const announce = ['announce', reference];
  expect((await home.run(...announce)).status).toBe(2);
  const dated = [...announce, '--date', '2099-01-01'];
  expect((await home.run(...dated, '--key', home.path('bob.key'))).status).toBe(11);
  expect((await home.run(...dated)).stdout).toContain('announced for 2099-01-01');
});

describe('an evaluation', () => {
  const evaluate = (...more: string[]) => [
    ...['evaluate', reference, '--result', 'passed', '--report', home.path('report.json')],
    ...['--digest', digest, ...more],
  ];

  test('names its report, which may stay where it is', async () => {
    await home.json(...evaluate('--suite', 'safety'));
    const said = await home.json(...evaluate('--suite', 'safety', '--private-report'));
    expect(said).toMatchObject({ decision: 'evaluate', n: 1 });
  });

  test('of no suite, with no report or by no digest is not signed', async () => {
    expect((await home.run(...evaluate('--suite', 'Not A Suite'))).status).toBe(2);
    const nowhere = evaluate('--suite', 'safety').with(5, home.path('nowhere'));
    expect((await home.run(...nowhere)).status).toBe(4);
    expect((await home.run(...evaluate('--suite', 'safety', '--harness', 'x'))).status).toBe(20);
  });
});

describe('a receipt', () => {
  test('of a decision that was stopped before its answer is finished, to the same entry', async () => {
    const { label, index } = await json('approve', reference);
    for (const state of ['signed', 'logged'] as const) {
      const { path, receipt } = await receiptOf(label);
      const begun = state === 'signed' ? { index: null, proof: null } : {};
      await writeFile(path, formatReceipt({ ...receipt, ...begun, state }));
      const unfinished = await home.run('receipts', 'check');
      expect(unfinished.status).toBe(1);
      expect(unfinished.stdout).toContain('decide --resume');
      const { decisions } = await home.json('decide', '--resume');
      expect(decisions).toMatchObject([{ reference, index, state: 'recorded' }]);
      expect((await home.run('receipts', 'check')).status).toBe(0);
    }
  });

  test('that the log does not bear out ends with status 12 and evidence', async () => {
    const { label } = await json('approve', reference);
    const { path, receipt } = await receiptOf(label);
    await writeFile(path, formatReceipt({ ...receipt, index: 0 }));
    const ran = await home.run('receipts', 'check', '--evidence', home.path('lost-'));
    expect(ran.status).toBe(12);
    expect(ran.stdout).toContain('THE LOG DOES NOT HOLD IT');
    const [file] = (await readdir(home.folder)).filter((name) => name.startsWith('lost-'));
    const evidence = JSON.parse(await readFile(home.path(file!), 'utf8'));
    expect(evidence).toMatchObject({ label, proof: receipt.proof, shown: { entry: null } });
    await writeFile(path, formatReceipt(receipt));
    expect((await home.run('receipts', 'check')).status).toBe(0);
  });
});

describe('publishing', () => {
  test('asks for the release manager’s key, and says what is missing and what to type', async () => {
    const publish = ['publish', reference, '--digest', digest];
    const keyless = await run(publish, makeWorld({ ...home.env, WEIGHHOUSE_KEY: '' }));
    expect(keyless.status).toBe(2);
    expect(keyless.stderr).toContain(`${publish.join(' ')} --key FILE`);
    const unmet = await home.run(...publish);
    expect(unmet.status).toBe(13);
    expect(unmet.stderr).toContain('missing: 1 of the role reviewer');
    expect(unmet.stderr).toContain(`next: weighhouse approve ${reference}`);
    // bob pushed it, and a gate does not count who approves what they pushed.
    await json('approve', reference, '--key', home.path('bob.key'));
    expect((await home.run(...publish)).status).toBe(13);
    await json('approve', reference);
    expect(await home.json(...publish)).toMatchObject({ reference, digest });

    const receipts = await readdir(folderOfReceipts());
    const late = await home.run('hold', reference, '--reason', 'Too late', '--digest', digest);
    expect(late).toMatchObject({ status: 13 });
    expect(late.stderr).toContain('weighhouse advise');
    expect(await readdir(folderOfReceipts())).toEqual(receipts);
  });

  test('with a key that no network reaches is signed there and submitted here', async () => {
    await json('approve', reference);
    const file = home.path(`${digest.slice(7, 15)}.intent`);
    const pem = home.path(`${digest.slice(7, 15)}.pem`);
    await writeFile(pem, `${(await home.json('key', 'show', home.path('ada.key'))).pem}`);
    const publish = ['publish', reference, '--digest', digest];
    const wrote = await home.run(...publish, '--unsigned', file, '--public-key', pem);
    expect(wrote.stdout).toContain(
      `then back here: weighhouse ${publish.join(' ')} --submit ${file}`,
    );
    const early = await home.run(...publish, '--submit', file);
    expect(early.status).toBe(2);
    expect(early.stderr).toContain('not signed yet');
    await home.json('decide', '--sign-offline', file, '--digest', digest);
    // As a decision it would be committed, never opened, and stop what it is to publish.
    const decided = await home.run('decide', '--submit', file);
    expect(decided.status).toBe(2);
    expect(decided.stderr).toContain(`weighhouse ${publish.join(' ')} --submit ${file}`);
    const other = await home.push();
    const elsewhere = ['publish', other.reference, '--digest', other.digest, '--submit', file];
    expect((await home.run(...elsewhere)).status).toBe(13);
    const done = await run(
      [...publish, '--submit', file, '--json'],
      makeWorld({ ...home.env, WEIGHHOUSE_KEY: '' }),
    );
    expect(JSON.parse(done.stdout)).toMatchObject({ reference, digest });
  });

  test('is what the checklist ends with', async () => {
    await json('approve', reference);
    const { checklist } = (await home.json('status', reference)) as {
      checklist: { met: boolean; what: string }[];
    };
    const open = checklist.filter(({ met }) => !met).map(({ what }) => what);
    expect(open).toEqual(['a release manager signs the publish']);
  });
});

test('"decide" takes one thing at a time', async () => {
  expect((await home.run('decide')).status).toBe(2);
  expect((await home.run('decide', '--resume', '--submit', 'x')).status).toBe(2);
  expect((await home.run('decide', '--submit', home.path('nowhere'))).status).toBe(4);
});
