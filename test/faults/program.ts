/** What every fault program is, for the runner (`npm run faults`). */

export interface Program {
  readonly name: string;
  /** What is done to the registry, for people. */
  readonly title: string;
  /** How often, in the short version and in the long one. */
  readonly times: { readonly short: number; readonly long: number };
  /** Throws when something that must hold does not. Resolves to what was done, in one line. */
  run(options: RunOptions): Promise<string>;
}

export interface RunOptions {
  readonly seed: number;
  readonly times: number;
  /** The long version waits as long as the world does: a minute, thirty seconds. */
  readonly isLong: boolean;
  readonly say: (line: string) => void;
}
