/**
 * Content against its digests: the whole SHA-256, and each chunk by the list whose root the
 * manifest signs, so that it is known which part of a terabyte is damaged. Memory is bounded
 * by a few blocks, whatever the size.
 */
import { equal } from '../../core/bytes.ts';
import { digestBytes } from '../../core/digest.ts';
import { CodedError, isCoded } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import {
  type ChunkList,
  chunkCount,
  chunkRange,
  chunkSizeFor,
  MAX_CHUNK_LIST_BYTES,
  parseChunkList,
} from '../../core/release/chunks.ts';
import { bindingForm } from '../../registry/documents/content.ts';
import type { DueBy } from '../../registry/documents/damage.ts';
import { load } from '../../registry/documents/form.ts';
import type { ByteRange } from '../../store/contract.ts';
import { type Key, keys } from '../../store/keys.ts';
import type { CheckParts, Problem } from './parts.ts';

type ContentDue = DueBy<'content'>;
type Parts = Pick<CheckParts, 'store' | 'host' | 'hashing' | 'pace' | 'signal'>;

const DIGEST_BYTES = 32;

export async function checkContent(
  parts: Parts,
  key: Key,
  due: ContentDue,
): Promise<Problem | undefined> {
  const size = await parts.store.size(key);
  await parts.pace.request();
  if (size === undefined) return { problem: 'missing', detail: 'it is not there' };
  const list = await readList(parts, due);
  if (size !== due.size) {
    const detail = `it has ${size} bytes instead of ${due.size}`;
    return {
      problem: 'damaged',
      detail,
      ...(list && { chunks: await wrongChunks(parts, key, due, list) }),
    };
  }
  const found = await hash(parts, key, due);
  if (found === undefined || found.sha256 === due.sha256) return undefined;
  const detail = `its SHA-256 is ${found.sha256}`;
  return { problem: 'damaged', detail, ...(list && { chunks: differing(found.chunks, list) }) };
}

/** Reads the chunks that were wrong once more; all of it where they are not known. */
export async function confirmContent(
  parts: Parts,
  key: Key,
  due: ContentDue,
  found: Problem,
): Promise<Problem | undefined> {
  if (await isReplaced(parts, key, due)) return undefined;
  const list = await readList(parts, due);
  const isKnown = found.problem === 'damaged' && (found.chunks?.length ?? 0) > 0;
  if (!isKnown || list === undefined || (await parts.store.size(key)) !== due.size) {
    return checkContent(parts, key, due);
  }
  const chunks = await wrongChunks(parts, key, due, list, found.chunks);
  return chunks.length === 0 ? undefined : { ...found, chunks };
}

/** A repair may have bound another blob to the digest since this one was looked up. */
async function isReplaced({ store }: Parts, key: Key, { sha256 }: ContentDue): Promise<boolean> {
  const binding = await load(store, keys.digest(sha256), bindingForm).catch(() => undefined);
  return binding !== undefined && keys.blob(binding.value.blob) !== key;
}

export function checkChunkList(
  host: Host,
  bytes: Uint8Array,
  due: DueBy<'chunks'>,
): Problem | undefined {
  parseChunkList(host, bytes, due.size, { size: chunkSizeFor(due.size), root: due.root }, 'a file');
  return undefined;
}

/** The chunk list of content, where it is there and good; that it is not is told of itself. */
export async function readList(
  { store, host }: Pick<CheckParts, 'store' | 'host'>,
  { size, chunks, sha256 }: ContentDue,
): Promise<ChunkList | undefined> {
  const chunkSize = chunkSizeFor(size);
  const count = chunkCount(size, chunkSize);
  if (count <= 1) return { chunkSize, count, at: () => digestBytes(sha256) };
  if (chunks === undefined) return undefined;
  const stored = await store.get(keys.chunks(chunks), MAX_CHUNK_LIST_BYTES);
  if (stored === undefined) return undefined;
  try {
    return parseChunkList(host, stored.bytes, size, { size: chunkSize, root: chunks }, 'a file');
  } catch (error) {
    if (isCoded(error, 'digest-mismatch')) return undefined;
    throw error;
  }
}

/** Which of `chunks` (all of them, unless they are named) are not what the list says. */
export async function wrongChunks(
  parts: Parts,
  key: Key,
  { size }: Pick<ContentDue, 'size'>,
  list: ChunkList,
  chunks: Iterable<number> = Array(list.count).keys(),
): Promise<number[]> {
  const wrong: number[] = [];
  for (const chunk of chunks) {
    const range = chunkRange(size, list.chunkSize, chunk);
    const found = await hashRange(parts, key, range);
    if (found === undefined || !equal(digestBytes(found), list.at(chunk))) wrong.push(chunk);
  }
  return wrong;
}

/** The digests of all of it; undefined when it went away meanwhile. */
async function hash({ store, hashing, pace, signal }: Parts, key: Key, { size }: ContentDue) {
  const plan = { size, whole: true, chunkSize: chunkSizeFor(size) } as const;
  const path = store.localPath?.(key);
  try {
    if (path !== undefined && !pace.isLimited) {
      const hashes = await hashing.hashFile(path, plan, { signal });
      await pace.take(size);
      return hashes;
    }
    const source = paced(pace, await store.read(key));
    return await hashing.hashBytes(source, plan, { name: key, signal });
  } catch (error) {
    if (isCoded(error, 'not-found')) return undefined;
    if (isCoded(error, 'file-changed') || isCoded(error, 'digest-mismatch')) {
      throw new CodedError('storage', `${key} changed while it was read`, {}, { cause: error });
    }
    throw error;
  }
}

/** The SHA-256 of a range, or undefined where so many bytes cannot be read. */
async function hashRange({ store, hashing, pace, signal }: Parts, key: Key, range: ByteRange) {
  const plan = { size: range.length, whole: true } as const;
  try {
    const source = paced(pace, await store.read(key, range));
    return (await hashing.hashBytes(source, plan, { name: key, signal })).sha256;
  } catch (error) {
    if (isCoded(error, 'storage') || isCoded(error, 'not-found')) return undefined;
    throw error;
  }
}

async function* paced(
  pace: CheckParts['pace'],
  source: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  for await (const bytes of source) {
    await pace.take(bytes.length);
    yield bytes;
  }
}

function differing(found: Uint8Array, list: ChunkList): number[] {
  const wrong: number[] = [];
  for (let chunk = 0; chunk < list.count; chunk++) {
    const at = chunk * DIGEST_BYTES;
    if (!equal(found.subarray(at, at + DIGEST_BYTES), list.at(chunk))) wrong.push(chunk);
  }
  return wrong;
}
