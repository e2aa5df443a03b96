/**
 * Proves receipts against the log and the release, long after the decision: does the log still
 * hold the commitment, and if what was decided about is released, does the release reveal the
 * decision? What is missing is kept as evidence that convinces third parties: the commitment is
 * in the log, its opening is at hand, and the release does not show it.
 */
import { formatBase64, parseUtf8 } from '../../core/bytes.ts';
import type { Digest } from '../../core/digest.ts';
import type { Json } from '../../core/json.ts';
import type { Decisions } from '../../core/release/decisions.ts';
import { formatEnvelope } from '../../core/statement/dsse.ts';
import { commitmentOf, nameOf, type Receipt } from '../receipts.ts';
import type { Means, ShownLog } from './desk.ts';
import { commitmentAt } from './finish.ts';
import type { Unshown } from './unshown.ts';

/** A release that is in the log, with the decisions that it reveals. */
export interface Revealed {
  /** Log index of the release entry. */
  readonly index: number;
  readonly digest: Digest;
  /** Digests of earlier revisions. */
  readonly former: readonly Digest[];
  /** Undefined where the release reveals none. */
  readonly decisions?: Decisions | undefined;
  /** Labels that the owners voided in public. */
  readonly voids: ReadonlySet<string>;
  /** Exact bytes of the entry, and its proof. */
  readonly entry: Uint8Array;
  readonly proof: Uint8Array;
}

export type ReceiptState =
  /** Not recorded; `decide --resume` goes on. */
  | 'unfinished'
  | 'dropped'
  /** In the log; what it is about is not published, says the registry. */
  | 'logged'
  /** In the log; what it is about was withdrawn, says the registry. */
  | 'withdrawn'
  /** In the log and revealed by the release. */
  | 'revealed'
  | 'void'
  /** The log does not hold it where it did. */
  | 'lost'
  /** The release does not reveal it. */
  | 'omitted'
  /** The log holds the release, and the registry does not show it. */
  | 'denied';

export interface CheckedReceipt {
  readonly receipt: Receipt;
  readonly state: ReceiptState;
  /** What third parties can check by themselves; where something is missing. */
  readonly evidence?: Json;
}

/** Checks one receipt. `released` is the release that it is about, or why there is none to see. */
export async function checkReceipt(
  { host }: Pick<Means, 'host'>,
  log: ShownLog,
  released: Revealed | Unshown | undefined,
  receipt: Receipt,
): Promise<CheckedReceipt> {
  if (receipt.state === 'dropped') return { receipt, state: 'dropped' };
  if (receipt.index === null) return { receipt, state: 'unfinished' };
  const { label, commit } = commitmentOf(host, receipt);
  const found = await commitmentAt(log, receipt.index);
  if (found?.label !== label || found.commit !== commit) {
    const there = found === undefined ? null : { label: found.label, commit: found.commit };
    const shown = { checkpoint: parseUtf8(log.note), entry: there };
    return { receipt, state: 'lost', evidence: { ...describe(receipt), commit, shown } };
  }
  if (released !== undefined && 'unshown' in released) {
    return checkUnshown(released, receipt, commit);
  }
  if (released === undefined || !isAbout(released, receipt)) {
    return { receipt, state: receipt.state === 'recorded' ? 'logged' : 'unfinished' };
  }
  if (reveals(host, released, receipt)) return { receipt, state: 'revealed' };
  if (released.voids.has(label)) return { receipt, state: 'void' };
  const evidence = { ...describe(receipt), commit, release: describeRelease(released) };
  return { receipt, state: 'omitted', evidence };
}

function checkUnshown(unshown: Unshown, receipt: Receipt, commit: string): CheckedReceipt {
  if (unshown.unshown === 'withdrawn') return { receipt, state: 'withdrawn' };
  const { index, entry, proof } = unshown;
  const release = { index, entry: formatBase64(entry), proof: parseUtf8(proof) };
  return { receipt, state: 'denied', evidence: { ...describe(receipt), commit, release } };
}

function isAbout({ digest, former }: Revealed, receipt: Receipt): boolean {
  return digest === receipt.digest || former.includes(receipt.digest);
}

function reveals(host: Means['host'], { decisions }: Revealed, receipt: Receipt): boolean {
  const found = decisions?.decisions.find(({ label }) => label === receipt.label);
  if (found === undefined) return false;
  const { payloadType, payload, signature } = found.envelope;
  const envelope = formatEnvelope(payloadType, payload, signature);
  return (
    found.index === receipt.index &&
    found.salt === receipt.salt &&
    nameOf(host, { envelope }) === nameOf(host, receipt)
  );
}

function describe({ origin, release, digest, n, label, salt, envelope, index, proof }: Receipt) {
  const opening = { n, label, salt, envelope: formatBase64(envelope) };
  return { v: 1, origin, release, digest, index, proof, ...opening };
}

function describeRelease({ index, entry, proof, decisions }: Revealed) {
  const labels = decisions?.decisions.map(({ label }) => label) ?? [];
  return { index, entry: formatBase64(entry), proof: parseUtf8(proof), reveals: labels };
}
