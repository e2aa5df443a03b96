/** What a story is given. */
import type { ReleaseName } from '../../src/core/release/name.ts';
import type { Stage } from './stage.ts';

export interface Play {
  readonly stage: Stage;
  /** The directory in which everything is made, and commands are typed. */
  readonly home: string;
  /** The model's directory. */
  readonly model: string;
  /** True when it was given with `--model`. */
  readonly isOwnModel: boolean;
}

/** Ends with a release that is published, and verified in `home/pulled`. */
export type Story = (play: Play) => Promise<ReleaseName>;
