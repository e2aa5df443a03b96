/**
 * Where a repair takes things from: a copy of a release in a directory, another registry that
 * has it, a mirror of the log. Nothing of it is believed. Whatever comes is held against a
 * digest or a root of our own signed log before it counts, so a source need not be trusted,
 * pinned or even honest.
 */
import type { Digest } from '../../core/digest.ts';
import type { Entry } from '../../core/log/entry.ts';
import type { ReadTile } from '../../core/log/tile-reader.ts';
import type { ManifestFile } from '../../core/release/manifest.ts';
import type { ReleaseName } from '../../core/release/name.ts';
import type { ByteRange } from '../../store/contract.ts';

/** A file of a published release. */
export interface FilePlace {
  readonly release: ReleaseName;
  readonly file: ManifestFile;
}

/** What names a statement: an entry of the log, or the manifest of a release as its inventory. */
export type StatementPlace =
  | { readonly entry: Entry; readonly index: number }
  | { readonly inventoryOf: ReleaseName };

/** Each answers undefined for what it does not have, and throws when it cannot be asked. */
export interface RepairSource {
  /** For messages: a path or an address. */
  readonly name: string;
  /** Files of the same log. */
  readonly tile?: ReadTile;
  root?(version: number): Promise<Uint8Array | undefined>;
  statement(digest: Digest, place: StatementPlace | undefined): Promise<Uint8Array | undefined>;
  /** `model.sig` of a release, as it was shown. */
  modelSig?(release: ReleaseName): Promise<Uint8Array | undefined>;
  report?(release: ReleaseName, digest: Digest): Promise<Uint8Array | undefined>;
  chunkList(root: Digest, place: FilePlace | undefined): Promise<Uint8Array | undefined>;
  /** Bytes of a file with that digest. */
  content(
    sha256: Digest,
    place: FilePlace | undefined,
    range: ByteRange,
  ): Promise<AsyncIterable<Uint8Array> | undefined>;
  close?(): void;
}
