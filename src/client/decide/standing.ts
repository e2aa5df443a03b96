/** What stops a draft, as far as its decisions say: nothing that was said later lifts it. */
import { type Digest, digestOf } from '../../core/digest.ts';
import type { Host } from '../../core/host.ts';
import { decisionIn } from '../receipts.ts';
import type { ShownDraft } from './desk.ts';

export interface StandingStop {
  readonly decision: 'object' | 'hold' | 'postpone';
  /** Digest of its envelope: what a lift names. */
  readonly name: Digest;
  readonly reason: string;
  readonly index: number;
}

/**
 * Objections, holds and postponements that nobody has lifted, or all of them where each was
 * lifted and the gate says all the same that something stops the draft (`isStopped`): those about
 * what is sealed now, or, where there are none, about former revisions.
 */
export function standing(
  host: Pick<Host, 'sha256'>,
  draft: ShownDraft,
  isStopped: boolean,
): readonly StandingStop[] {
  const stops: (StandingStop & { readonly digest: Digest })[] = [];
  const lifted = new Set<Digest>();
  for (const { envelope, index } of draft.decisions) {
    const said = decisionIn({ envelope });
    if (said.decision === 'lift') lifted.add(said.lifts);
    if (said.decision !== 'object' && said.decision !== 'hold' && said.decision !== 'postpone') {
      continue;
    }
    const { decision, reason, digest } = said;
    stops.push({ decision, name: digestOf(host, envelope), reason, index, digest });
  }
  const unlifted = stops.filter(({ name }) => !lifted.has(name));
  // A lift by whom the policy does not let lift has lifted nothing: then each may be meant.
  const left = unlifted.length === 0 && isStopped ? stops : unlifted;
  const present = left.filter(({ digest }) => digest === draft.digest);
  return present.length > 0 ? present : left;
}
