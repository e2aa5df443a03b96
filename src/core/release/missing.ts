/** What the gate still lacks, in words and for programs. */
import type { PassedOver } from './passed-over.ts';

/** Stable names of what can be lacking. */
export type Need =
  // without any signature
  | 'role'
  | 'digest'
  // what a gated policy asks for
  | 'seal'
  | 'age'
  | 'not-before'
  | 'evaluation'
  | 'approval'
  | 'intent'
  // what stops a release
  | 'objection'
  | 'hold'
  | 'postponed'
  | 'unopened'
  | 'withdrawn';

/** One thing that the gate still lacks. */
export interface Missing {
  readonly need: Need;
  /** Which suite or role, where a policy may ask for several. */
  readonly about?: string;
  /** One sentence for people. */
  readonly message: string;
  /** Whom it waits for: person ids, or a role. */
  readonly waitsFor: readonly string[];
  /** What would satisfy it: a command line of ours, or the instant from which on it is met. */
  readonly satisfiedBy: string;
  /** Approvals, or evaluations, that were made and do not count; a few of them. */
  readonly passedOver?: readonly PassedOver[];
}
