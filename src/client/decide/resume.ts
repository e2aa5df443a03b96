/** Goes on with decisions whose receipts say that they are not recorded. */
import { isCoded } from '../../core/error.ts';
import { parseReleaseName } from '../../core/release/name.ts';
import { decisionIn, type Receipt } from '../receipts.ts';
import type { Means, ShownDraft } from './desk.ts';
import { finishReceipt } from './finish.ts';

/** Receipts that are neither recorded nor dropped. */
export async function unfinished({ desk, receipts }: Means): Promise<readonly Receipt[]> {
  const all = await receipts.all(desk.origin);
  return all.filter(({ state }) => state === 'signed' || state === 'logged');
}

/**
 * Finishes one. What was signed and may never have been sent is not sent any more when it has
 * expired, or when something else is sealed by now: its commitment could not be opened, and
 * would stop the release. Unless the registry shows that it was sent: then it is opened.
 */
export async function resumeReceipt(means: Means, receipt: Receipt): Promise<Receipt> {
  if (receipt.state === 'signed' && (await isPast(means, receipt))) {
    const dropped: Receipt = { ...receipt, state: 'dropped' };
    await means.receipts.save(dropped);
    return dropped;
  }
  return finishReceipt(means, receipt);
}

async function isPast({ desk, clock }: Means, receipt: Receipt): Promise<boolean> {
  const draft = await desk.draft(parseReleaseName(receipt.release)).catch((error: unknown) => {
    // Nothing is sealed any more, or nothing is there at all.
    if (isCoded(error, 'conflict') || isCoded(error, 'not-found')) return undefined;
    throw error;
  });
  if (draft !== undefined && isShown(draft, receipt.label)) return false;
  const { expires } = decisionIn(receipt).context;
  return draft?.digest !== receipt.digest || Date.parse(expires) <= clock();
}

function isShown({ decisions, unopened }: ShownDraft, label: string): boolean {
  return [...decisions, ...unopened].some((each) => each.label === label);
}
