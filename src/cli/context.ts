/**
 * What every command is given: the settings with the command's flags laid over them, a
 * voice, and the person's wish to stop.
 */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Output } from './output.ts';
import type { World } from './world.ts';

export interface Context {
  readonly config: Config;
  readonly output: Output;
  readonly world: World;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Flags that many commands share, as commander gives them. */
export interface SharedFlags {
  readonly json?: boolean;
  readonly url?: string;
  readonly token?: string;
  readonly key?: string;
}

/** Flags stand over the environment, and that over the config file. */
export function withFlags(config: Config, flags: SharedFlags): Config {
  return {
    ...config,
    url: flags.url ?? config.url,
    token: flags.token ?? config.token,
    key: flags.key ?? config.key,
  };
}

/** Where things of this person's own lie, below the config directory unless it is said otherwise. */
export const places = {
  pins: ({ directory }: Config) => join(directory, 'registries'),
  nonces: ({ directory }: Config) => join(directory, 'pushes', 'nonces'),
  /** Pushes that were not sealed. */
  pushes: ({ directory }: Config) => join(directory, 'pushes', 'unsealed'),
  /** What an import has fetched and not pushed yet; it can be fetched again. */
  imports: ({ cacheDirectory }: Config) => join(cacheDirectory, 'imports'),
  /** What was decided, and proves it. */
  receipts: ({ directory }: Config) => join(directory, 'receipts'),
  /** What `login` got. */
  tokens: ({ directory }: Config) => join(directory, 'tokens'),
  keys: ({ directory }: Config, origin: string) => join(directory, 'keys', origin),
} as const;
