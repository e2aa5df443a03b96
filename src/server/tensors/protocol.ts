/** What the server and the thread that knows its tensors say to one another. */
import type { Digest } from '../../core/digest.ts';
import type { WeightsSums } from '../../core/weights/summary.ts';
import type { TensorDifference, TensorPage } from './shelf.ts';

/** What messages call the thread. */
export const NAME = 'the thread of tensors';

export type Question =
  | { readonly kind: 'sums'; readonly of: Digest }
  | {
      readonly kind: 'page';
      readonly of: Digest;
      readonly words: string;
      readonly page: number;
    }
  | {
      readonly kind: 'compare';
      readonly before: Digest;
      readonly after: Digest;
      readonly page: number;
    };

/** An inventory that the thread is given. */
export interface Kept {
  readonly kind: 'keep';
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** The answer to a question, or which inventory it takes that is not there. */
export type Answered<T> = { readonly answer: T } | { readonly lacks: Digest };

export interface Answers {
  sums: Answered<WeightsSums>;
  page: Answered<TensorPage>;
  compare: Answered<TensorDifference>;
  keep: undefined;
}
