/** The files of a release whose manifest was checked: what a copy is compared with. */
import type { Digest } from '../../core/digest.ts';
import type { ChunkList } from '../../core/release/chunks.ts';

export interface ReleaseFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: Digest;
}

export interface ReleaseFiles {
  /** `namespace/name@version`. */
  readonly reference: string;
  readonly files: readonly ReleaseFile[];
  find(path: string): ReleaseFile | undefined;
  /** The digests of a file's chunks, checked against the manifest. */
  chunksOf(file: ReleaseFile): Promise<ChunkList>;
  /** Where its content is. */
  urlOf(file: ReleaseFile): string;
}
