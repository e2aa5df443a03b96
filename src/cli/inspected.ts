/** What was found out by looking, on this machine or over the network. */
import type { ResolvedRelease } from '../client/release.ts';
import type { GgufValue } from '../core/weights/gguf.ts';
import type { HeaderLevel } from '../core/weights/header-plan.ts';
import type { Tensor } from '../core/weights/tensor.ts';

export interface InspectedFile {
  readonly path: string;
  readonly size: number;
  readonly format: string;
  readonly executesCode?: string;
  readonly tensors?: readonly Tensor[];
  readonly metadata?: Readonly<Record<string, GgufValue>>;
  /** How far what is said of a file that lies elsewhere was checked. */
  readonly checked?: HeaderLevel;
}

export interface Inspected {
  /** By code point of the path. */
  readonly files: readonly InspectedFile[];
  readonly isDirectory: boolean;
  /** What is odd but harmless, a sentence each. */
  readonly warnings: readonly string[];
  readonly published?: Published;
}

/** What is known of a release, and not of a path. */
export interface Published {
  readonly resolved: ResolvedRelease;
  readonly reference: string;
  /** Bytes of the release's files that were read, of how many. */
  readonly read: { readonly bytes: number; readonly of: number };
}
