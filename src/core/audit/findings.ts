/**
 * What an audit found. A *violation* is something that the registry's rules do not allow, at
 * an index of its log; a *note* is something that they allow and an auditor should know.
 */
import { type ErrorCode, isCoded } from '../error.ts';
import type { Refusal } from '../verdict.ts';

/** Violations, and notes, that are kept; further ones are only counted. */
export const MAX_FINDINGS = 1_000;

export interface Violation {
  /** The entry, or the size of the tree where none is at fault. */
  readonly index: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** What a third party needs to see the same, as far as there is any. */
  readonly evidence: Readonly<Record<string, unknown>>;
}

export interface Note {
  readonly index: number;
  readonly message: string;
}

/** Failures that say nothing about the registry's log, only that it could not be read now. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'network',
  'overloaded',
  'interrupted',
  'not-authorised',
  'internal',
  'usage',
]);

export class Findings {
  readonly #violations: Violation[] = [];
  readonly #notes: Note[] = [];
  #count = 0;

  /** Nothing was found against the registry. */
  get ok(): boolean {
    return this.#count === 0;
  }

  /** How many violations there are, also those that are not kept. */
  get count(): number {
    return this.#count;
  }

  /** In order of the log. */
  get violations(): readonly Violation[] {
    return this.#violations.toSorted((a, b) => a.index - b.index);
  }

  get notes(): readonly Note[] {
    return this.#notes.toSorted((a, b) => a.index - b.index);
  }

  violate(index: number, code: ErrorCode, message: string, evidence: object = {}): void {
    this.#count++;
    if (this.#violations.length >= MAX_FINDINGS) return;
    this.#violations.push({ index, code, message, evidence: { ...evidence } });
  }

  /** Notes a refusal, or an error that a parser threw. Throws what is not about the registry. */
  fault(index: number, cause: Refusal | unknown): void {
    if (isRefusal(cause)) {
      this.violate(index, cause.code, cause.message, cause.evidence);
    } else {
      if (!isCoded(cause) || saysNothing(cause)) throw cause;
      this.violate(index, cause.code, cause.message, cause.details);
    }
  }

  note(index: number, message: string): void {
    if (this.#notes.length < MAX_FINDINGS) this.#notes.push({ index, message });
  }
}

/** Is that a failure which says nothing about the registry? */
export function saysNothing(cause: unknown): boolean {
  return !isCoded(cause) || PASSING.has(cause.code);
}

function isRefusal(cause: unknown): cause is Refusal {
  return typeof cause === 'object' && cause !== null && 'ok' in cause && cause.ok === false;
}
