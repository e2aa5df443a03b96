/** `decide --resume`: goes on with every decision whose receipt says that it is not recorded. */
import { resumeReceipt, unfinished } from '../client/decide/resume.ts';
import { decisionIn, nameOf, type Receipt } from '../client/receipts.ts';
import { CodedError } from '../core/error.ts';
import { nodeHost } from '../hashing/host.ts';
import type { Context } from './context.ts';
import { statusOf } from './exit.ts';
import { openMeans } from './means.ts';

interface Outcome {
  readonly receipt: Receipt;
  readonly error?: CodedError;
}

/** Gives the status of the first that is still not recorded. */
export async function resumeAll(context: Context): Promise<number | undefined> {
  const means = await openMeans(context);
  const outcomes: Outcome[] = [];
  for (const receipt of await unfinished(means)) {
    try {
      outcomes.push({ receipt: await resumeReceipt(means, receipt) });
    } catch (error) {
      // One that cannot go on keeps no other from it.
      if (!(error instanceof CodedError) || error.code === 'interrupted') throw error;
      outcomes.push({ receipt, error });
    }
  }
  const lines = outcomes.map(describe);
  context.output.result(
    { decisions: outcomes.map(toJson) },
    lines.length === 0 ? ['every decision of yours is recorded'] : lines,
  );
  const failed = outcomes.find(({ error }) => error !== undefined)?.error;
  return failed && statusOf(failed.code);
}

function describe({ receipt, error }: Outcome): string {
  const { decision } = decisionIn(receipt);
  const what = `${decision} of ${receipt.release}`;
  if (error !== undefined) return `${what}: ${error.message}`;
  if (receipt.state === 'recorded') return `${what}: recorded, entry ${receipt.index} of the log`;
  return `${what}: given up; it never came into the log, and what it is about is no longer sealed or it has expired`;
}

function toJson({ receipt, error }: Outcome) {
  const { release: reference, digest, index, state } = receipt;
  const said = { reference, digest, decision: decisionIn(receipt).decision, index, state };
  const named = { ...said, envelope: nameOf(nodeHost, receipt) };
  return error === undefined
    ? named
    : { ...named, error: { code: error.code, message: error.message } };
}
