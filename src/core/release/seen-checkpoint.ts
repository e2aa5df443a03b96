/**
 * The checkpoint that a decision's signer saw. It must be one of this very log, and not one of
 * later: so a decision is no older than it says, and a signer who was shown another log than
 * everybody else has signed what shows it. Their envelope and the log contradict each other; the
 * two checkpoints that prove it lie in the signer's receipt and in everybody's log.
 */
import { type Digest, formatDigest } from '../digest.ts';
import { type Refusal, refusal } from '../verdict.ts';
import type { OpenedStatement } from './opened-decision.ts';

/** The root that the log had at that size; undefined where it never had it. */
export type RootAt = (size: number) => Promise<Uint8Array | undefined>;

/**
 * What is wrong with the checkpoint in a statement for an entry at `index`: `untrusted` where the
 * log had none of that size yet, `fork` where it had another.
 */
export async function checkSeen(
  { statement, digest, signer }: OpenedStatement,
  index: number,
  rootAt: RootAt,
): Promise<Refusal | undefined> {
  const { checkpoint } = statement.context;
  const root = checkpoint.size <= index ? await rootAt(checkpoint.size) : undefined;
  if (root === undefined) {
    return refusal(
      'untrusted',
      `what was committed at ${index} names a checkpoint of ${checkpoint.size} entries, which did not exist`,
      { checkpoint },
    );
  }
  const expected: Digest = formatDigest(root);
  if (checkpoint.root === expected) return undefined;
  const who = signer === 'registry' ? signer : signer.person;
  return refusal(
    'fork',
    `${who} signed, for entry ${index}, to have seen a log of ${checkpoint.size} entries with the root ${checkpoint.root}, but this log had ${expected}: two logs are shown under one name, or the signer says what is not so`,
    { decision: digest, signer: who, checkpoint, expected },
  );
}
