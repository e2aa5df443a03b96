/**
 * From a signed decision to a recorded one. Each step may be the last before a crash, and may
 * be done again:
 *
 *     signed     the receipt lies on disk; nothing was sent
 *                → the commitment is sent, which tells the registry nothing
 *     logged     the log was seen to hold it: whatever it says can no longer be left out
 *                → envelope and salt are sent
 *     recorded   the registry has stored the decision
 *
 * Blind first, so that nobody is refused for what they say. A registry that answers without
 * having logged is found out here, before it learns what was decided.
 */
import { parseUtf8 } from '../../core/bytes.ts';
import { CodedError, isCoded } from '../../core/error.ts';
import { parseEntry } from '../../core/log/entry.ts';
import { formatTlogProof } from '../../core/log/tlog-proof.ts';
import { parseReleaseName } from '../../core/release/name.ts';
import { commitmentOf, nameOf, type Receipt } from '../receipts.ts';
import type { Means, ShownDraft, ShownLog } from './desk.ts';

/** How often, and how long in between, the log is asked for what the registry says is there. */
const LOOKS = 5;
const LOOK_MS = 300;

/**
 * Takes a receipt as far as it goes: to `recorded`, or to `dropped` when it never came into the
 * log. Throws what is in the way, saying "not recorded"; what is done stays done.
 */
export async function finishReceipt(means: Means, receipt: Receipt): Promise<Receipt> {
  try {
    const logged = receipt.state === 'signed' ? await commit(means, receipt) : receipt;
    return logged.state === 'logged' ? await record(means, logged) : logged;
  } catch (error) {
    throw notRecorded(error);
  }
}

async function commit(means: Means, receipt: Receipt): Promise<Receipt> {
  const { desk, host } = means;
  const commitment = commitmentOf(host, receipt);
  try {
    return await seeLogged(means, receipt, await desk.commit(commitment));
  } catch (error) {
    if (!isCoded(error, 'conflict')) throw error;
    return settle(means, receipt, error);
  }
}

/** The label is taken. By this very decision, before a crash; or by another one of the same key. */
async function settle(means: Means, receipt: Receipt, conflict: CodedError): Promise<Receipt> {
  const { desk, receipts } = means;
  const draft = await desk.draft(parseReleaseName(receipt.release));
  const index = indexOf(draft, receipt.label);
  if (index === undefined) throw conflict;
  const log = await desk.log();
  const found = await commitmentAt(log, index);
  if (found?.label !== receipt.label) throw conflict;
  if (found.commit === commitmentOf(means.host, receipt).commit) {
    return seeLogged(means, receipt, index);
  }
  const dropped: Receipt = { ...receipt, state: 'dropped' };
  await receipts.save(dropped);
  return dropped;
}

/** Checks that the log really holds the commitment at `index`, and keeps the proof. */
async function seeLogged(means: Means, receipt: Receipt, index: number): Promise<Receipt> {
  const { desk, receipts, pause } = means;
  let log = await desk.log();
  for (let look = 1; log.size <= index && look < LOOKS; look++) {
    await pause(LOOK_MS);
    log = await desk.log();
  }
  if (log.size <= index || !(await holds(means, log, index, receipt))) {
    throw new CodedError(
      'proof-invalid',
      `the registry says that entry ${index} of its log is the commitment, but the log does not hold it there; ask its operator, and keep the receipt`,
      { index, size: log.size, label: receipt.label, checkpoint: parseUtf8(log.note) },
    );
  }
  const hashes = await log.proveInclusion(index);
  const proof = parseUtf8(formatTlogProof({ index, hashes, checkpoint: log.note }));
  const logged: Receipt = { ...receipt, index, proof, state: 'logged' };
  await receipts.save(logged);
  return logged;
}

async function record(means: Means, receipt: Receipt): Promise<Receipt> {
  const { desk, host, receipts } = means;
  const { index, salt, envelope } = receipt;
  if (index === null) throw new CodedError('bad-document', 'a logged receipt names no entry');
  const answer = await desk.record(parseReleaseName(receipt.release), { index, salt, envelope });
  if (answer.index !== index || answer.digest !== nameOf(host, receipt)) {
    throw new CodedError(
      'untrusted',
      `the registry answers for ${answer.digest} at entry ${answer.index}, not for what was sent`,
      { sent: nameOf(host, receipt), index, answer },
    );
  }
  const recorded: Receipt = { ...receipt, state: 'recorded' };
  await receipts.save(recorded);
  return recorded;
}

async function holds(
  { host }: Means,
  log: ShownLog,
  index: number,
  receipt: Receipt,
): Promise<boolean> {
  const found = await commitmentAt(log, index);
  const { label, commit } = commitmentOf(host, receipt);
  return found?.label === label && found.commit === commit;
}

/** The commitment that stands at `index` of the log, or undefined when none does. */
export async function commitmentAt(log: ShownLog, index: number) {
  if (index >= log.size) return undefined;
  const parsed = parseEntry(await log.entry(index));
  return parsed.known && parsed.entry.kind === 'commitment' ? parsed.entry : undefined;
}

function indexOf({ decisions, unopened }: ShownDraft, label: string): number | undefined {
  return [...decisions, ...unopened].find((each) => each.label === label)?.index;
}

function notRecorded(error: unknown): unknown {
  if (!(error instanceof CodedError)) return error;
  return new CodedError(
    error.code,
    `not recorded: ${error.message} (the receipt is kept; "weighhouse decide --resume" goes on)`,
    error.details,
    { cause: error },
  );
}
