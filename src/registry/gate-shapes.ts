/** What the use cases of the release gate take and answer; `registry.ts` names the use cases. */
import type { Digest } from '../core/digest.ts';
import type { Namespace } from '../core/release/name.ts';
import type { Decision } from '../core/statement/decision.ts';

/** What is logged before anybody can read it, both in hex (`core/release/commitment.ts`). */
export interface BlindCommitment {
  readonly label: string;
  readonly commit: string;
}

/** What opens a commitment to the registry. */
export interface Disclosure {
  /** Log index of the commitment. */
  readonly index: number;
  /** Hex. */
  readonly salt: string;
  /** The canonical DSSE envelope. */
  readonly envelope: Uint8Array;
}

export type DecisionKind = Decision['decision'];

/** The answer to a decision: it is recorded. */
export interface RecordedDecision {
  /** Log index of its commitment. */
  readonly index: number;
  /** Digest of its envelope: what a lift names. */
  readonly digest: Digest;
  readonly decision: DecisionKind;
}

/** A decision about a draft, as its status shows it. */
export interface ShownDecision extends RecordedDecision {
  /** The instant in its commitment's entry. */
  readonly time: string;
  /** The signer's id; `registry` for the registry's own seal. */
  readonly person: string;
  /** The seal of the draft that it is about: on an earlier one an approval counts for nothing. */
  readonly revision: number;
  /** What it says beyond its kind, in a few words; '' for nothing. */
  readonly detail: string;
}

/** A decision about a draft, with all that opens its commitment. */
export interface DisclosedDecision extends ShownDecision {
  /** Hex, both. */
  readonly label: string;
  readonly salt: string;
  readonly envelope: Uint8Array;
}

/** A commitment of which the registry knows no decision, or that the owners have voided. */
export interface LoggedLabel {
  readonly index: number;
  readonly label: string;
}

/** Everything that was decided about a sealed draft and its former revisions. */
export interface DraftDecisions {
  readonly digest: Digest;
  readonly revision: number;
  /** In the order of the log. */
  readonly decisions: readonly DisclosedDecision[];
  readonly unopened: readonly LoggedLabel[];
  /** `index` is that of the void. */
  readonly voids: readonly LoggedLabel[];
}

/** A change of a policy: its bytes, and envelopes over them by owners of the policy in force. */
export interface PolicyChange {
  readonly namespace: Namespace;
  readonly policy: Uint8Array;
  readonly signed: readonly Uint8Array[];
}

export interface PolicyLogged {
  readonly index: number;
  readonly version: number;
  /** From when on it is in force, if no newer one is logged before. */
  readonly inForceAt: string;
}

/** A version of a policy in the log. */
export interface PolicyVersion {
  readonly index: number;
  readonly time: string;
  readonly digest: Digest;
  readonly version: number;
}

/** The owners’ word that a commitment no longer counts. */
export interface VoidRequest {
  readonly namespace: Namespace;
  readonly label: string;
  /** DSSE envelopes over one void (`core/release/void.ts`). */
  readonly signed: readonly Uint8Array[];
}
