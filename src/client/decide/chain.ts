/**
 * A signer's decisions on one digest are a chain: each has the next number and names the one
 * before. Where it ends, both sides say: our receipts, and what the registry shows. Neither is
 * believed alone: a registry may keep one back, and receipts may lie on another machine, or be
 * lost. What it shows of which there is no receipt goes by the signature: nobody else makes that.
 */
import { type Digest, digestOf } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { decisionLabel } from '../../core/release/commitment.ts';
import { openEnvelope, parseEnvelope } from '../../core/statement/dsse.ts';
import { type SigningKey, spkiOf } from '../../core/statement/signature.ts';
import { decisionIn, nameOf, type Receipt } from '../receipts.ts';
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
 * have a receipt, or one that the key has not signed; `conflict` when a decision is there that
 * neither side can show.
 */
export async function nextLink(
  host: Host,
  key: SigningKey,
  draft: ShownDraft,
  receipts: readonly Receipt[],
): Promise<Link> {
  const ours = new Map(
    receipts.filter(({ state }) => state !== 'dropped').map((each) => [each.label, each]),
  );
  const shown = new Map(draft.decisions.map((each) => [each.label, each.envelope]));
  const hidden = new Set([...draft.unopened, ...draft.voids].map(({ label }) => label));
  let previous: Digest | null = null;
  for (let n = 0; ; n++) {
    const label = decisionLabel(host, draft.digest, spkiOf(key), n);
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
    if (own === undefined && theirs !== undefined) await requireOurs(host, key, draft, n, theirs);
    previous = ownName ?? theirName ?? null;
  }
}

/** Throws unless the decision that the registry shows as our number `n` is that, by our key. */
async function requireOurs(
  host: Host,
  key: SigningKey,
  { digest }: ShownDraft,
  n: number,
  bytes: Uint8Array,
): Promise<void> {
  const said = decisionIn({ envelope: bytes });
  const isSigned = (await openEnvelope(host, parseEnvelope(bytes), key)).ok;
  if (isSigned && said.digest === digest && said.context.n === n) return;
  throw new CodedError(
    'untrusted',
    `the registry shows a decision as your number ${n} that your key has not signed as that; nothing was signed`,
    { n, shown: digestOf(host, bytes) },
  );
}
