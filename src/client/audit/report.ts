/** What an audit says in the end. */
import type { Note, Violation } from '../../core/audit/findings.ts';

export interface AuditReport {
  readonly ok: boolean;
  readonly origin: string;
  /** Entries in the log, and its root in base64, as in the checkpoint. */
  readonly size: number;
  readonly root: string;
  /** Where this audit began: 0, or the size that the one before ended at. */
  readonly from: number;
  /** Releases in the log. */
  readonly releases: number;
  /** In order of the log; further ones than `MAX_FINDINGS` are only counted. */
  readonly violations: readonly Violation[];
  readonly violationCount: number;
  readonly notes: readonly Note[];
  /** For the next audit; only of a log without violations. */
  readonly state?: Uint8Array;
}
