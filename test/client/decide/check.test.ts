import { beforeEach, describe, expect, test } from '@jest/globals';
import { checkReceipt, type Revealed } from '../../../src/client/decide/check.ts';
import { decide } from '../../../src/client/decide/decide.ts';
import type { Means } from '../../../src/client/decide/desk.ts';
import type { Receipt } from '../../../src/client/receipts.ts';
import { parseBase64, utf8 } from '../../../src/core/bytes.ts';
import { leafHash } from '../../../src/core/log/merkle.ts';
import { parseTlogProof } from '../../../src/core/log/tlog-proof.ts';
import { parseEnvelope } from '../../../src/core/statement/dsse.ts';
import { openProof } from '../../../src/core/verify/logged.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { MadeDesk, meansAt, RELEASE, signerOf } from '../../made/desk.ts';
import { makeKey } from '../../made/p256.ts';

let desk: MadeDesk;
let means: Means;
let receipt: Receipt;
beforeEach(async () => {
  desk = new MadeDesk();
  means = meansAt(desk);
  const said = { decision: 'object', reason: 'A licence' } as const;
  const wish = { release: RELEASE, said, named: desk.sealed, lasts: 3600 };
  receipt = await decide(means, signerOf(makeKey()), wish, async () => {});
});

/** The release with that decision in its decisions.json. */
function released(changes: Partial<Revealed> = {}): Revealed {
  const { index, label, salt, envelope } = receipt;
  const decision = { index: index!, label, salt, envelope: parseEnvelope(envelope) };
  return {
    index: 9,
    digest: desk.sealed,
    former: [],
    decisions: { release: receipt.release, digest: desk.sealed, decisions: [decision] },
    voids: new Set(),
    entry: utf8('{}'),
    proof: utf8('proof'),
    ...changes,
  };
}

const check = async (release?: Revealed, of = receipt) =>
  checkReceipt(means, await desk.log(), release, of);
const nothing = () => ({ release: receipt.release, digest: desk.sealed, decisions: [] });

describe('a receipt', () => {
  test('is in the log before the release, and in the release after it', async () => {
    expect(await check()).toMatchObject({ state: 'logged' });
    expect(await check(released())).toMatchObject({ state: 'revealed' });
  });

  test('of a former revision is looked for in the release, of no revision is not', async () => {
    const other = `sha256:${'1'.repeat(64)}` as Receipt['digest'];
    const former = released({ digest: other, former: [receipt.digest], decisions: nothing() });
    expect(await check(former)).toMatchObject({ state: 'omitted' });
    expect(await check(released({ digest: other }))).toMatchObject({ state: 'logged' });
  });

  test('that the owners voided is void', async () => {
    const voids = new Set([receipt.label]);
    expect(await check(released({ decisions: nothing(), voids }))).toMatchObject({ state: 'void' });
  });

  test('that is not finished, or was given up, says so', async () => {
    const begun: Receipt = { ...receipt, state: 'signed', index: null, proof: null };
    expect(await check(undefined, begun)).toMatchObject({ state: 'unfinished' });
    expect(await check(undefined, { ...receipt, state: 'logged' })).toMatchObject({
      state: 'unfinished',
    });
    expect(await check(undefined, { ...begun, state: 'dropped' })).toMatchObject({
      state: 'dropped',
    });
  });
});

describe('an operator who', () => {
  test('drops an objection from the release leaves evidence that needs no one’s word', async () => {
    const { state, evidence } = await check(released({ decisions: nothing() }));
    expect(state).toBe('omitted');
    const { proof, release } = evidence as { proof: string; release: object };
    const leaf = leafHash(nodeHost, desk.made.entries[receipt.index!]!);
    expect(openProof(nodeHost, desk.made.root, parseTlogProof(utf8(proof)), leaf)).toMatchObject({
      ok: true,
    });
    const { envelope } = evidence as { envelope: string };
    expect(parseBase64(envelope)).toEqual(receipt.envelope);
    expect(release).toMatchObject({ index: 9, reveals: [] });
  });

  test('reveals another salt, index or envelope in its place has omitted it', async () => {
    const whole = released();
    const [decision] = whole.decisions!.decisions;
    for (const wrong of [{ salt: '00'.repeat(32) }, { index: 7 }]) {
      const decisions = { ...whole.decisions!, decisions: [{ ...decision!, ...wrong }] };
      expect(await check({ ...whole, decisions })).toMatchObject({ state: 'omitted' });
    }
    expect(await check(released({ decisions: undefined }))).toMatchObject({ state: 'omitted' });
  });

  test('shows another log than that of the receipt has lost it', async () => {
    desk.made.namespace('acme');
    const moved: Receipt = { ...receipt, index: 1 };
    const { state, evidence } = await check(undefined, moved);
    expect(state).toBe('lost');
    expect(evidence).toMatchObject({ shown: { checkpoint: expect.stringContaining('—') } });
    expect(await check(undefined, { ...receipt, index: 99 })).toMatchObject({ state: 'lost' });
  });
});
