/** What the thread that asks and the threads that hash say to one another. */
import type { HashedEntries } from '../core/audit/hashed-bundle.ts';
import type { Wanted } from './digester.ts';
import type { RawHashes } from './plan.ts';
import type { SignatureCheck } from './signatures.ts';
import type { StretchHashes, StretchRequest } from './stretch.ts';

/** What messages call a thread. */
export const NAME = 'a hashing thread';

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
