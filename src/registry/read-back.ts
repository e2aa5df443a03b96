/**
 * Reading a file back from the store: every byte of it, once, for all its digests. Only now
 * is what the publisher declared known to be true; only now are the bytes bound to their
 * digest, so that a release can name them.
 *
 * That they were read is written into the file's document first. If the file was declared
 * anew meanwhile, exactly one of the two came first: this seal ends, or the bytes stay.
 *
 * A file that was read in this revision is not read again when an interrupted seal goes on;
 * the next revision reads it anew.
 */
import { compareBytes } from '../core/bytes.ts';
import { CodedError, isCoded } from '../core/error.ts';
import { chunkRoot } from '../core/release/chunks.ts';
import type { ReleaseName } from '../core/release/name.ts';
import type { Tensor } from '../core/weights/tensor.ts';
import { DIGEST_BYTES, type Hashes, type HashPlan, type Piece } from '../hashing/plan.ts';
import { keys } from '../store/keys.ts';
import { BlobBlocks } from './blob-blocks.ts';
import type { Chores } from './chores.ts';
import { Contents } from './content.ts';
import { isStored, type StoredFile } from './documents/file.ts';
import type { Files } from './files.ts';
import type { RegistryParts } from './parts.ts';
import { Statements } from './statements.ts';

/** All that is taken of a file. */
type FileHashes = Hashes<{ size: number; whole: true; chunkSize: number; pieces: Piece[] }>;

/** Which seal reads, and whom it tells. */
export interface Reading {
  readonly release: ReleaseName;
  readonly revision: number;
  readonly signal: AbortSignal;
  /** Told of bytes as they are done: so many more. */
  readonly onBytes: (more: number) => void;
}

export class ReadBack {
  readonly #parts: RegistryParts;
  readonly #files: Files;
  readonly #contents: Contents;
  readonly #statements: Statements;
  readonly #chores: Chores;
  readonly #blocks: BlobBlocks;

  constructor(parts: RegistryParts, files: Files, chores: Chores) {
    this.#parts = parts;
    this.#files = files;
    this.#contents = new Contents(parts);
    this.#statements = new Statements(parts);
    this.#chores = chores;
    this.#blocks = new BlobBlocks(parts.store);
  }

  /**
   * Reads the file and resolves to the digests of its tensors, 32 bytes each. Throws
   * `digest-mismatch`, and lets go of the bytes, when they are not what was declared.
   */
  async read(reading: Reading, file: StoredFile, tensors: readonly Tensor[]): Promise<Uint8Array> {
    const earlier = await this.#readBefore(reading, file, tensors);
    if (earlier !== undefined) {
      await this.#settle(reading, file);
      return earlier;
    }
    return this.#keep(reading, file, await this.#judgeOrDrop(reading, file, tensors));
  }

  /** As `read`, for who can do without: what is not as it was declared stays as it is. */
  async readIfGood(reading: Reading, file: StoredFile, tensors: readonly Tensor[]): Promise<void> {
    await this.#keep(reading, file, await this.#judge(reading, file, tensors));
  }

  /** Throws `digest-mismatch` when the bytes are not what was declared; tells nothing else. */
  async check(reading: Reading, file: StoredFile): Promise<void> {
    await this.#judgeOrDrop({ ...reading, onBytes: () => {} }, file, []);
  }

  /** Keeps what was found: the chunk list, that all was read, and where the bytes lie. */
  async #keep(reading: Reading, file: StoredFile, hashes: FileHashes): Promise<Uint8Array> {
    await this.#parts.store.create(keys.chunks(file.chunks.root), hashes.chunks);
    const verified = {
      revision: reading.revision,
      ...(hashes.pieces.length > 0 && { tensors: await this.#statements.put(hashes.pieces) }),
    };
    await this.#settle(reading, await this.#note(reading, file, verified));
    return hashes.pieces;
  }

  async #readBefore(
    { revision, onBytes }: Reading,
    file: StoredFile,
    tensors: readonly Tensor[],
  ): Promise<Uint8Array | undefined> {
    const { verified } = file.content;
    if (verified?.revision !== revision) return undefined;
    const digests = verified.tensors && (await this.#statements.get(verified.tensors));
    if ((digests?.length ?? 0) !== tensors.length * DIGEST_BYTES) return undefined;
    onBytes(file.size);
    return digests ?? new Uint8Array(0);
  }

  async #judge(reading: Reading, file: StoredFile, tensors: readonly Tensor[]) {
    const pieces = tensors.map(({ offset, size }) => ({ offset, length: size }));
    const plan = { size: file.size, whole: true, chunkSize: file.chunks.size, pieces } as const;
    const hashes: FileHashes = await this.#hash(reading, file.content.blob, plan);
    await this.#requireDeclared(file, hashes);
    return hashes;
  }

  async #judgeOrDrop(reading: Reading, file: StoredFile, tensors: readonly Tensor[]) {
    try {
      return await this.#judge(reading, file, tensors);
    } catch (error) {
      if (!isDamage(error)) throw error;
      await this.#files.drop(reading.release, file);
      throw isCoded(error, 'digest-mismatch') ? error : damaged(file, 'is cut short or missing');
    }
  }

  async #hash<const P extends HashPlan>(
    { signal, onBytes }: Reading,
    blob: string,
    plan: P,
  ): Promise<Hashes<P>> {
    const { store, hashing } = this.#parts;
    const key = keys.blob(blob);
    const path = store.localPath?.(key);
    if (path === undefined) {
      const bytes = this.#blocks.read(blob, plan.size, signal);
      const source = counted(bytes, onBytes);
      return hashing.hashBytes(source, plan, { name: key, signal });
    }
    let done = 0;
    const onProgress = (bytes: number) => {
      onBytes(bytes - done);
      done = bytes;
    };
    return hashing.hashFile(path, plan, { signal, onProgress });
  }

  async #requireDeclared(file: StoredFile, hashes: FileHashes): Promise<void> {
    if (chunkRoot(this.#parts.host, hashes.chunks) !== file.chunks.root) {
      const sent = await this.#parts.store.get(keys.chunks(file.chunks.root));
      throw damaged(file, whereTheyDiffer(hashes.chunks, sent?.bytes));
    }
    if (hashes.sha256 === file.sha256) return;
    throw damaged(file, `has the SHA-256 ${hashes.sha256}, not the declared ${file.sha256}`);
  }

  /** Writes down that the bytes were read. Throws `conflict` when the file is another by now. */
  async #note(
    { release, revision }: Reading,
    file: StoredFile,
    verified: NonNullable<StoredFile['content']['verified']>,
  ): Promise<StoredFile> {
    const content = { ...file.content, verified };
    const noted = await this.#files.changeContent(release, file, content);
    const isRead = isStored(noted) && noted.content.verified?.revision === revision;
    if (isRead && noted.sha256 === file.sha256) return noted;
    throw new CodedError('conflict', `${file.path} was declared anew while it was sealed`, {
      path: file.path,
    });
  }

  /** Binds the digest to the file's blob, unless the same bytes were there before: then to those. */
  async #settle(reading: Reading, file: StoredFile): Promise<void> {
    const { blob } = file.content;
    const bound = await this.#contents.bind(file.sha256, blob, file.size, file.chunks.root);
    if (bound.blob !== blob) {
      await this.#requireGood(reading, file, bound.blob);
      const content = { ...file.content, blob: bound.blob };
      await this.#files.changeContent(reading.release, file, content);
      this.#remove(blob);
    }
    await this.#contents.claim(reading.release.namespace, file.sha256);
  }

  /** What this release will be served from was read too, though long ago: it is read again. */
  async #requireGood(reading: Reading, file: StoredFile, blob: string): Promise<void> {
    const plan = { size: file.size, whole: true } as const;
    const quiet = { ...reading, onBytes: () => {} };
    const outcome = await this.#hash(quiet, blob, plan).catch((error: unknown) => {
      if (isDamage(error)) return undefined;
      throw error;
    });
    if (outcome?.sha256 === file.sha256) return;
    throw new CodedError(
      'storage',
      `${keys.blob(blob)} in ${this.#parts.store.name}, where the bytes of ${file.sha256} lie, is damaged; restore it`,
      { key: keys.blob(blob) },
    );
  }

  #remove(blob: string): void {
    this.#chores.begin(() => this.#parts.store.delete(keys.blob(blob)));
    this.#files.forgetUpload(blob);
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: (more: number) => void,
): AsyncIterable<Uint8Array> {
  for await (const bytes of source) {
    yield bytes;
    onBytes(bytes.length);
  }
}

/** The bytes are not as they were stored, whatever the store or the hashing calls it. */
function isDamage(error: unknown): boolean {
  return ['digest-mismatch', 'file-changed', 'not-found'].some(
    (code) => isCoded(error) && error.code === code,
  );
}

function whereTheyDiffer(found: Uint8Array, sent: Uint8Array | undefined): string {
  if (sent === undefined || sent.length !== found.length) {
    return 'does not have the chunk root that was declared';
  }
  for (let at = 0; at < found.length; at += DIGEST_BYTES) {
    const end = at + DIGEST_BYTES;
    if (compareBytes(found.subarray(at, end), sent.subarray(at, end)) !== 0) {
      return `is damaged in part ${at / DIGEST_BYTES + 1}`;
    }
  }
  return 'does not have the chunk root that was declared';
}

function damaged(file: StoredFile, how: string): CodedError {
  return new CodedError('digest-mismatch', `${file.path} ${how}; push it again`, {
    path: file.path,
  });
}
