import { beforeEach, describe, expect, test } from '@jest/globals';
import { decide, type Said } from '../../../src/client/decide/decide.ts';
import type { Means } from '../../../src/client/decide/desk.ts';
import { resumeReceipt, unfinished } from '../../../src/client/decide/resume.ts';
import { decisionIn, nameOf } from '../../../src/client/receipts.ts';
import { parseEntry } from '../../../src/core/log/entry.ts';
import { parseTlogProof } from '../../../src/core/log/tlog-proof.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { MadeDesk, MadeReceipts, meansAt, RELEASE, signerOf } from '../../made/desk.ts';
import { makeKey } from '../../made/p256.ts';
import { makePasskey } from '../../made/passkey.ts';

const approve: Said = { decision: 'approve' };
const signer = signerOf(makeKey());
const consent = async () => {};

let desk: MadeDesk;
let receipts: MadeReceipts;
let means: Means;
beforeEach(() => {
  desk = new MadeDesk();
  receipts = new MadeReceipts();
  means = meansAt(desk, receipts);
});

const say = (said: Said = approve, more: object = {}) =>
  decide(
    means,
    signer,
    { release: RELEASE, said, named: desk.sealed, lasts: 3600, ...more },
    consent,
  );

describe('a decision', () => {
  test('is committed, seen in the log and then recorded; the receipt has it all', async () => {
    const receipt = await say();
    expect(receipt).toMatchObject({ state: 'recorded', n: 0, digest: desk.sealed });
    expect(parseTlogProof(new TextEncoder().encode(receipt.proof!)).index).toBe(receipt.index);
    expect(parseEntry(desk.made.entries[receipt.index!]!)).toMatchObject({
      entry: { kind: 'commitment', label: receipt.label },
    });
    expect(decisionIn(receipt)).toMatchObject({
      decision: 'approve',
      context: { n: 0, previous: null, revision: 1 },
    });
  });

  test('has the next number and names the one before', async () => {
    const first = await say();
    const second = await say({ decision: 'object', reason: 'A licence' });
    expect(decisionIn(second).context).toMatchObject({ n: 1, previous: nameOf(nodeHost, first) });
  });

  test('goes on where another machine left off, by what the registry shows', async () => {
    const first = await say();
    means = meansAt(desk, new MadeReceipts());
    expect(decisionIn(await say()).context.previous).toBe(nameOf(nodeHost, first));
  });

  test('by a passkey goes on where another machine left off, and by its bare numbers does not', async () => {
    const { passkey, spki, sign, bare } = makePasskey();
    const wish = { release: RELEASE, said: approve, named: desk.sealed, lasts: 3600 };
    const own = { spki, passkey, sign: async (bytes: Uint8Array) => sign(bytes) };
    const first = await decide(means, own, wish, consent);
    means = meansAt(desk, new MadeReceipts());
    const second = await decide(means, own, wish, consent);
    expect(decisionIn(second).context).toMatchObject({ n: 1, previous: nameOf(nodeHost, first) });
    means = meansAt(desk, new MadeReceipts());
    await expect(decide(means, signerOf(bare), wish, consent)).rejects.toThrow(
      'the registry shows a decision as your number 0 that your key has not signed as that',
    );
  });

  test('tells the registry nothing of what it says before it is in the log', async () => {
    const requests: string[] = [];
    desk.before = (request) => void requests.push(request);
    await say();
    expect(requests).toEqual(['draft', 'commit', 'record']);
  });

  test('is not signed when something else is sealed than was named', async () => {
    const named = desk.sealed;
    desk.revision = 2;
    await expect(say(approve, { named })).rejects.toMatchObject({ code: 'gate-unmet' });
    expect(receipts.kept.size).toBe(0);
  });

  test('is not signed when the digest is not of a manifest of that release', async () => {
    const { sealed } = desk;
    desk.manifest = async () => new TextEncoder().encode('{}');
    await expect(say(approve, { named: sealed })).rejects.toMatchObject({ code: 'untrusted' });
    expect(receipts.kept.size).toBe(0);
  });

  test('is not signed when the person will not', async () => {
    const wish = { release: RELEASE, said: approve, named: undefined, lasts: 60 };
    const no = async () => Promise.reject(new Error('no'));
    await expect(decide(means, signer, wish, no)).rejects.toThrow('no');
    expect(receipts.kept.size).toBe(0);
  });
});

describe('a registry that lies', () => {
  test('answers with a receipt without logging: not recorded, and it never sees the decision', async () => {
    desk.commit = async () => desk.made.entries.length + 5;
    await expect(say()).rejects.toMatchObject({
      code: 'proof-invalid',
      message: expect.stringContaining('not recorded'),
    });
    expect(desk.opened.size).toBe(0);
    expect([...receipts.kept.values()]).toMatchObject([{ state: 'signed', index: null }]);
  });

  test('names the entry of something else: not recorded', async () => {
    desk.made.namespace('acme');
    desk.commit = async () => 0;
    await expect(say()).rejects.toMatchObject({ code: 'proof-invalid' });
  });

  test('answers for another decision: not recorded', async () => {
    const other = await say();
    const { record } = desk;
    desk.record = async (...request) => ({
      ...(await record.apply(desk, request)),
      digest: nameOf(nodeHost, other),
    });
    await expect(say()).rejects.toMatchObject({ code: 'untrusted' });
  });

  test('shows another decision than the one that there is a receipt of: nothing more is signed', async () => {
    const { label } = await say();
    const other = signerOf(makeKey());
    const wish = { release: RELEASE, said: approve, named: desk.sealed, lasts: 60 };
    const theirs = await decide(meansAt(desk), other, wish, consent);
    desk.opened.set(label, { index: 0, label, envelope: theirs.envelope });
    await expect(say()).rejects.toMatchObject({ code: 'untrusted' });
  });
});

describe('a receipt that is lost', () => {
  test('keeps nobody from deciding on, where the registry has the decision', async () => {
    const first = await say();
    receipts.kept.clear();
    const second = await say();
    expect(second).toMatchObject({ n: 1, state: 'recorded' });
    expect(decisionIn(second).context.previous).toBe(nameOf(nodeHost, first));
  });

  test('of what was never opened ends it: nobody can name the one before', async () => {
    await say();
    receipts.kept.clear();
    desk.opened.clear();
    await expect(say()).rejects.toThrow('its receipt is not on this machine');
  });

  test('is not replaced by what somebody else signed', async () => {
    const { label } = await say();
    receipts.kept.clear();
    const other = signerOf(makeKey());
    const wish = { release: RELEASE, said: approve, named: desk.sealed, lasts: 60 };
    const theirs = await decide(meansAt(desk), other, wish, consent);
    desk.opened.set(label, { index: 0, label, envelope: theirs.envelope });
    await expect(say()).rejects.toThrow('that your key has not signed');
    expect(receipts.kept.size).toBe(0);
  });
});

describe('one key on two machines', () => {
  test('takes the next number when its own is taken in that moment', async () => {
    const elsewhere = meansAt(desk);
    desk.before = (request) => {
      if (request !== 'commit') return;
      desk.before = () => {};
      throw new Error('first');
    };
    // The other machine has signed number 0 and was stopped before it sent it.
    const wish = { release: RELEASE, said: approve, named: desk.sealed, lasts: 60 };
    await expect(decide(elsewhere, signer, wish, consent)).rejects.toThrow('first');
    const here = await say();
    expect(here.n).toBe(0);
    // Its number is taken now; what was never logged is dropped, and it decides again.
    const [late] = await unfinished(elsewhere);
    expect(await resumeReceipt(elsewhere, late!)).toMatchObject({ state: 'dropped' });
    expect(await decide(elsewhere, signer, wish, consent)).toMatchObject({ n: 1 });
  });
});

/** Every step at which a process can die: before it, and after it was done. */
const steps = ['add', 'commit', 'save', 'record'].flatMap((step) => [
  [step, 'before', 1] as const,
  [step, 'after', 1] as const,
  ...(step === 'save' ? [['save', 'before', 2] as const, ['save', 'after', 2] as const] : []),
]);

test.each(steps)(
  'killed at %s, %s it, time %i: the same is said once, and recorded',
  async (step, when, time) => {
    let left = time;
    const kill = (at: string) => {
      if (at === step && --left === 0) throw new Error('killed');
    };
    const isReceipt = step === 'add' || step === 'save';
    (isReceipt ? receipts : desk)[when] = kill;
    await expect(say()).rejects.toThrow('killed');
    for (const receipt of await unfinished(means)) await resumeReceipt(means, receipt);
    if (receipts.kept.size === 0) await say();
    expect([...receipts.kept.values()]).toMatchObject([{ state: 'recorded', n: 0 }]);
    expect(desk.opened.size).toBe(1);
    expect(desk.committed.size).toBe(1);
    expect(desk.made.entries).toHaveLength(1);
  },
);

describe('what was signed and never sent', () => {
  beforeEach(async () => {
    receipts.after = () => {
      throw new Error('killed');
    };
    await expect(say()).rejects.toThrow('killed');
    receipts.after = () => {};
  });

  test('is dropped when something else is sealed by now', async () => {
    desk.revision = 2;
    const [receipt] = await unfinished(means);
    expect(await resumeReceipt(means, receipt!)).toMatchObject({ state: 'dropped' });
    expect(desk.made.entries).toHaveLength(0);
  });

  test('is dropped when it has expired', async () => {
    const later = { ...means, clock: () => means.clock() + 3600_000 };
    const [receipt] = await unfinished(later);
    expect(await resumeReceipt(later, receipt!)).toMatchObject({ state: 'dropped' });
    expect(desk.made.entries).toHaveLength(0);
  });

  test('is finished by the next decision', async () => {
    expect(await say({ decision: 'hold', reason: 'Wait' })).toMatchObject({ n: 1 });
    expect(desk.opened.size).toBe(2);
  });
});
