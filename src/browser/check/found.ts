/** What a look at something gives: the thing itself, and what is to be said of it. */
import type { Finding } from './step.ts';

export interface Found<T> {
  readonly value: T;
  readonly finding: Finding;
}
