/** What walking through a store gives: objects with what they are due to be, and how far it is. */
import type { Due } from '../../registry/documents/damage.ts';
import type { Key } from '../../store/keys.ts';
import type { CheckParts } from '../check/parts.ts';

export interface Obligation {
  readonly key: Key;
  readonly due: Due;
  /** Nobody says that it must be there; if it is, it must be good. */
  readonly optional?: true;
}

/** Everything before it is done once what was given before it is: here the walk may begin again. */
export interface Mark {
  readonly after: string;
}

export type Step = Obligation | Mark;
export type Walk = AsyncGenerator<Step>;
export type WalkParts = Pick<CheckParts, 'store' | 'host' | 'log' | 'pace'>;

export function isMark(step: Step): step is Mark {
  return 'after' in step;
}
