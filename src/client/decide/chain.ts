/**
 * A signer's decisions on one digest are a chain: each has the next number and names the one
 * before. Where it ends, both sides say: our receipts, and what the registry shows. Neither is
 * believed alone: a registry may keep one back, and receipts may lie on another machine.
 */
import { type Digest, digestOf } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { decisionLabel } from '../../core/release/commitment.ts';
import type { Spki } from '../../core/statement/public-key.ts';
import { nameOf, type Receipt } from '../receipts.ts';
import type { ShownDraft } from './desk.ts';

/** The place of the next decision. */
export interface Link {
  readonly n: number;
  /** Digest of the envelope before it; null when it is the first. */
  readonly previous: Digest | null;
  readonly label: string;
}

/**
 * The end of the chain. Throws `untrusted` when the registry shows another decision where we
 * have a receipt, `conflict` when a decision is there that neither side can show.
 */
export function nextLink(
  host: Pick<Host, 'sha256'>,
  spki: Spki,
  draft: ShownDraft,
  receipts: readonly Receipt[],
): Link {
  const ours = new Map(
    receipts.filter(({ state }) => state !== 'dropped').map((each) => [each.label, each]),
  );
  const shown = new Map(draft.decisions.map((each) => [each.label, each.envelope]));
  const hidden = new Set([...draft.unopened, ...draft.voids].map(({ label }) => label));
  let previous: Digest | null = null;
  for (let n = 0; ; n++) {
    const label = decisionLabel(host, draft.digest, spki, n);
    const own = ours.get(label);
    const theirs = shown.get(label);
    if (own === undefined && theirs === undefined) {
      if (!hidden.has(label)) return { n, previous, label };
      throw new CodedError(
        'conflict',
        `your decision ${n} on this digest is in the log, but its receipt is not on this machine; run "weighhouse decide --resume" where it was made; if it never was, somebody took its label: docs/release-gate.md says what to do`,
        { label, n },
      );
    }
    const ownName = own && nameOf(host, own);
    const theirName = theirs && digestOf(host, theirs);
    if (ownName !== undefined && theirName !== undefined && ownName !== theirName) {
      throw new CodedError(
        'untrusted',
        `the registry shows another decision as your number ${n} than the one that you have a receipt of; run "weighhouse receipts check"`,
        { label, receipt: ownName, shown: theirName },
      );
    }
    previous = ownName ?? theirName ?? null;
  }
}
