/**
 * `audit --content`: every byte of every release, read from the registry and hashed. The
 * whole SHA-256 of each file, its chunks, the chunk list that is served for it and the bytes
 * of each of its tensors must be what the manifest names. What is for readers alone, and the
 * auditor is none, is no fault of anybody's, and not looked at either: that is told, too.
 */
import type { Api } from '../../client/api.ts';
import type { AuditedRelease, VisitRelease } from '../../client/audit/documents.ts';
import { withRetries } from '../../client/retry.ts';
import { equal } from '../../core/bytes.ts';
import { digestBytes } from '../../core/digest.ts';
import { CodedError, isCoded } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { chunkRoot } from '../../core/release/chunks.ts';
import type { ManifestFile } from '../../core/release/manifest.ts';
import { formatReleaseName, type ReleaseName } from '../../core/release/name.ts';
import type { InventoryTensor } from '../../core/weights/inventory.ts';
import type { HashingPool } from '../../hashing/pool.ts';
import { RangeConnection } from '../download/connection.ts';
import type { OnProgress } from '../progress.ts';

/** Bytes that are asked for at once, and held in memory a file. */
const BLOCK_BYTES = 8 * 2 ** 20;

/** A release with files that the auditor may not read. */
export interface Unread {
  readonly release: string;
  /** For whom they are. */
  readonly message: string;
}

export interface ContentAuditOptions {
  readonly host: Host;
  readonly api: Api;
  /** The caller's to close. */
  readonly pool: HashingPool;
  readonly onProgress?: OnProgress | undefined;
  readonly onUnread: (unread: Unread) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Looks at the content of each release; for `AuditOptions.visitRelease`. */
export function auditContent(options: ContentAuditOptions): VisitRelease {
  return async (audited) => {
    const { release, manifest } = audited.verified;
    const damage: string[] = [];
    let isUnread = false;
    for (const file of manifest.files) {
      const wrong = await damageOf(options, audited, file).catch((error: unknown) => {
        if (!isForReaders(error)) throw error;
        if (!isUnread) {
          options.onUnread({ release: formatReleaseName(release), message: error.message });
        }
        isUnread = true;
        return undefined;
      });
      if (wrong !== undefined) damage.push(`${file.path} (${wrong})`);
    }
    if (damage.length === 0) return;
    const files = damage.join(', ');
    throw new CodedError(
      'digest-mismatch',
      `the content of ${formatReleaseName(release)} is not what its manifest names: ${files}`,
      { files: damage },
    );
  };
}

/** Is it a refusal that says whose the bytes are? Without that, the token is bad for all that follows. */
function isForReaders(error: unknown): error is CodedError {
  return isCoded(error, 'not-authorised') && error.details.bytes !== undefined;
}

/** What is wrong with a file as it is served, in a few words; undefined when nothing is. */
async function damageOf(
  options: ContentAuditOptions,
  audited: AuditedRelease,
  file: ManifestFile,
): Promise<string | undefined> {
  const { host, api, pool, signal } = options;
  const { release } = audited.verified;
  const tensors = tensorsOf(audited, file);
  const plan = {
    size: file.size,
    whole: true,
    chunkSize: file.chunks.size,
    pieces: tensors.map(({ offset, size }) => ({ offset, length: size })),
  } as const;
  try {
    const content = contentOf(options, release, file);
    const { sha256, chunks, pieces } = await pool.hashBytes(content, plan, {
      name: file.path,
      signal,
    });
    if (sha256 !== file.sha256) return 'another SHA-256';
    if (chunkRoot(host, chunks) !== file.chunks.root) return 'another chunk root';
    const list = await api.chunkList(release, file.path, { signal });
    if (!equal(list, chunks)) return 'another chunk list';
    const other = tensors.find(
      (tensor, i) => !equal(digestBytes(tensor.sha256), pieces.subarray(32 * i, 32 * (i + 1))),
    );
    return other && `another tensor ${other.name}`;
  } catch (error) {
    if (!isCoded(error) || !['not-found', 'digest-mismatch', 'storage'].includes(error.code)) {
      throw error;
    }
    return error.message;
  }
}

/** The tensors of a file, as they lie in it. */
function tensorsOf({ inventory }: AuditedRelease, { path }: ManifestFile) {
  const found = inventory?.files.find((file) => file.path === path);
  return (found?.tensors ?? []) as readonly InventoryTensor[];
}

/** The file's bytes, block after block; each is asked for again when the network fails. */
async function* contentOf(
  { api, onProgress, signal }: ContentAuditOptions,
  release: ReleaseName,
  { path, size }: ManifestFile,
): AsyncGenerator<Uint8Array> {
  const connection = new RangeConnection();
  const request = { url: api.fileUrl(release, path), token: api.http.token, size };
  const block = new Uint8Array(Math.min(size, BLOCK_BYTES));
  let location: string | undefined;
  try {
    for (let offset = 0; offset < size; offset += block.length) {
      const range = { offset, length: Math.min(block.length, size - offset) };
      const read = async () => {
        let filled = 0;
        location = await connection.read({ ...request, location, range }, (bytes) => {
          block.set(bytes, filled);
          filled += bytes.length;
        });
      };
      await withRetries(read, api.http.pauses, signal);
      onProgress?.({ phase: 'verify', bytes: offset + range.length, total: size, file: path });
      yield block.subarray(0, range.length);
    }
  } finally {
    connection.close();
  }
}
