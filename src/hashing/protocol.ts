/** What the thread that asks and the threads that hash say to one another. */
import type { HashedEntries } from '../core/audit/hashed-bundle.ts';
import type { ErrorCode } from '../core/error.ts';
import type { Wanted } from './digester.ts';
import type { RawHashes } from './plan.ts';
import type { SignatureCheck } from './signatures.ts';
import type { StretchHashes, StretchRequest } from './stretch.ts';

/** A block of a stream, in memory that goes over to the thread and comes back empty. */
export interface StreamBlock {
  readonly stream: number;
  readonly offset: number;
  readonly memory: ArrayBuffer;
  readonly length: number;
}

export type Request =
  | ({ readonly kind: 'stretch' } & StretchRequest)
  | { readonly kind: 'stream-open'; readonly stream: number; readonly wanted: Wanted }
  | ({ readonly kind: 'stream-block' } & StreamBlock)
  | { readonly kind: 'stream-finish'; readonly stream: number }
  | { readonly kind: 'stream-drop'; readonly stream: number }
  /** An entry bundle of the log, and how many entries it must hold. */
  | { readonly kind: 'bundle'; readonly bundle: Uint8Array; readonly width: number }
  | { readonly kind: 'signatures'; readonly checks: readonly SignatureCheck[] };

/** The answer to each kind of request. */
export interface Answers {
  stretch: StretchHashes;
  'stream-open': undefined;
  'stream-block': ArrayBuffer;
  'stream-finish': RawHashes;
  'stream-drop': undefined;
  bundle: HashedEntries;
  signatures: readonly boolean[];
}

export interface Call {
  readonly id: number;
  readonly request: Request;
}

/** A coded error crosses between threads as its parts. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export type Reply =
  | { readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly id: number; readonly failure: Failure };
