/**
 * An inclusion proof as a way through the tree: from the leaf, with one given hash a step, up to
 * the root that the checkpoint signs.
 */
import { equal } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { parseCheckpoint } from '../../core/log/checkpoint.ts';
import { leafHash, nodeHash } from '../../core/log/merkle.ts';
import { inclusionSubtrees, type Subtree } from '../../core/log/subtree.ts';
import { parseTlogProof } from '../../core/log/tlog-proof.ts';
import { parseNote } from '../../core/note/note.ts';

/** A node of the tree: which leaves it covers, and its hash. */
export interface ProofNode extends Subtree {
  readonly hash: Uint8Array;
}

/** One step up. */
export interface ProofStep {
  /** Given by the proof, and on which side of the way it stands. */
  readonly sibling: ProofNode;
  readonly side: 'left' | 'right';
  /** What it makes, together with the node below. */
  readonly node: ProofNode;
}

export interface ProofPath {
  readonly leaf: ProofNode;
  /** From the leaf up; the node of the last one is the root. */
  readonly steps: readonly ProofStep[];
  /** Of the checkpoint that the proof leads to. */
  readonly size: number;
  readonly root: Uint8Array;
}

/** The way that a `.tlog-proof` shows for `entry`. Throws `proof-invalid` where it leads elsewhere. */
export function proofPath(
  host: Pick<Host, 'sha256'>,
  entry: Uint8Array,
  proof: Uint8Array,
): ProofPath {
  const { index, hashes, checkpoint } = parseTlogProof(proof);
  const { size, root } = parseCheckpoint(parseNote(checkpoint).text);
  const leaf = { start: index, end: index + 1, hash: leafHash(host, entry) };
  const siblings = inclusionSubtrees(index, size);
  const steps: ProofStep[] = [];
  let below: ProofNode = leaf;
  for (const [i, hash] of hashes.slice(0, siblings.length).entries()) {
    const step = stepUp(host, below, { ...siblings[i]!, hash });
    steps.push(step);
    below = step.node;
  }
  const isWhole = hashes.length === siblings.length;
  if (isWhole && equal(below.hash, root)) return { leaf, steps, size, root };
  throw new CodedError(
    'proof-invalid',
    `the proof of entry ${index} does not lead to the root of the checkpoint of ${size} entries`,
  );
}

function stepUp(host: Pick<Host, 'sha256'>, below: ProofNode, sibling: ProofNode): ProofStep {
  const isLeft = sibling.start < below.start;
  const [left, right] = isLeft ? [sibling, below] : [below, sibling];
  const hash = nodeHash(host, left.hash, right.hash);
  const node = { start: left.start, end: right.end, hash };
  return { sibling, side: isLeft ? 'left' : 'right', node };
}
