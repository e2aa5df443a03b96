/**
 * A damaged blob is made anew beside the old one: its good chunks out of the store, the others
 * from a source, every one hashed before the store takes it as a part, and all of it read back
 * at the end. Then the digest is bound to the new blob. Whoever reads meanwhile is refused, as
 * before, or gets good bytes; nothing is ever written over.
 */
import { createHash } from 'node:crypto';
import { equal } from '../../core/bytes.ts';
import { CodedError, isCoded } from '../../core/error.ts';
import { type ChunkList, chunkRange, chunkSizeFor } from '../../core/release/chunks.ts';
import type { Damages } from '../../registry/damages.ts';
import { bindingForm, makeBinding } from '../../registry/documents/content.ts';
import type { DueBy } from '../../registry/documents/damage.ts';
import { fileForm, isStored } from '../../registry/documents/file.ts';
import { change, load } from '../../registry/documents/form.ts';
import type { ByteRange, Part } from '../../store/contract.ts';
import { type Key, keys } from '../../store/keys.ts';
import { check } from '../check/check.ts';
import { readList, wrongChunks } from '../check/content.ts';
import type { CheckParts } from '../check/parts.ts';
import { pathDigest } from './path-digest.ts';
import type { FilePlace, RepairSource } from './source.ts';

export interface ContentRepair {
  readonly parts: CheckParts;
  readonly damages: Damages;
  readonly sources: readonly RepairSource[];
  /** Releases that have it. */
  readonly places: readonly FilePlace[];
  /** 32 fresh hex digits. */
  readonly random: () => string;
}

/** What was done, for people. */
export interface Made {
  readonly from: readonly string[];
  /** Bytes that came from a source. */
  readonly fetched: number;
}

/** Repairs the blob at `key`; undefined when no source has what is missing. */
export async function repairContent(
  repair: ContentRepair,
  key: Key,
  due: DueBy<'content'>,
): Promise<Made | undefined> {
  const { parts, damages, places } = repair;
  const list = await readList(parts, due);
  // Its chunk list comes first; without it nobody knows which bytes are good.
  if (list === undefined) return undefined;
  const record = await damages.find(key);
  const earlier = record?.replacement;
  const isMade =
    earlier !== undefined && (await check(parts, keys.blob(earlier), due)) === undefined;
  const blob = isMade ? earlier : repair.random();
  if (record !== undefined && !isMade) await damages.noteReplacement(key, blob);
  const made = isMade ? NOTHING_FETCHED : await makeBlob(repair, key, blob, due, list);
  if (made === undefined) return undefined;
  await bind(parts, due, blob);
  for (const place of places) await renameInDraft(parts, place, key, blob);
  await parts.store.delete(key);
  return made;
}

/** Could it be repaired? Reads from the sources what is missing, and writes nothing. */
export async function canRepairContent(
  repair: ContentRepair,
  key: Key,
  due: DueBy<'content'>,
): Promise<Made | undefined> {
  const { parts } = repair;
  const list = await readList(parts, due);
  if (list === undefined) return undefined;
  const from = new Set<string>();
  let fetched = 0;
  for (const chunk of await wrongChunks(parts, key, due, list)) {
    const range = chunkRange(due.size, list.chunkSize, chunk);
    const source = await firstWith(repair, due, range, list.at(chunk));
    if (source === undefined) return undefined;
    from.add(source.name);
    fetched += range.length;
  }
  return { from: [...from], fetched };
}

const NOTHING_FETCHED: Made = { from: [], fetched: 0 };

/** Uploads the blob chunk by chunk, and reads it back. */
async function makeBlob(
  repair: ContentRepair,
  old: Key,
  name: string,
  due: DueBy<'content'>,
  list: ChunkList,
): Promise<Made | undefined> {
  const { store, signal } = repair.parts;
  const blob = keys.blob(name);
  const partSize = chunkSizeFor(due.size);
  const wrong = new Set(await wrongChunks(repair.parts, old, due, list));
  if (due.size === 0) {
    await store.create(blob, new Uint8Array(0));
    return NOTHING_FETCHED;
  }
  const upload = await store.beginUpload(blob, { size: due.size, partSize });
  const from = new Set<string>();
  const done: Part[] = [];
  let fetched = 0;
  for (let chunk = 0; chunk < list.count; chunk++) {
    signal.throwIfAborted();
    const range = chunkRange(due.size, list.chunkSize, chunk);
    const put = (bytes: AsyncIterable<Uint8Array>) =>
      store.putPart(blob, upload, chunk + 1, range.length, hashed(bytes, list.at(chunk)));
    const part =
      (wrong.has(chunk)
        ? undefined
        : await tryPut(async () => put(await store.read(old, range)))) ??
      (await putFrom(repair, due, range, put, (name) => {
        from.add(name);
        fetched += range.length;
      }));
    if (part === undefined) {
      await store.abortUpload(blob, upload);
      return undefined;
    }
    done.push(part);
  }
  await store.completeUpload(blob, upload, done);
  const problem = await check(repair.parts, blob, due);
  if (problem === undefined) return { from: [...from], fetched };
  await store.delete(blob);
  throw new CodedError('storage', `the repaired ${blob} does not read back: ${problem.detail}`);
}

async function putFrom(
  { sources, places }: ContentRepair,
  { sha256 }: DueBy<'content'>,
  range: ByteRange,
  put: (bytes: AsyncIterable<Uint8Array>) => Promise<Part>,
  onTaken: (source: string) => void,
): Promise<Part | undefined> {
  for (const source of sources) {
    for (const place of placesOr(places)) {
      const part = await tryPut(async () => {
        const bytes = await source.content(sha256, place, range);
        return bytes && put(bytes);
      });
      if (part === undefined) continue;
      onTaken(source.name);
      return part;
    }
  }
  return undefined;
}

async function firstWith(
  { sources, places }: ContentRepair,
  { sha256 }: DueBy<'content'>,
  range: ByteRange,
  digest: Uint8Array,
): Promise<RepairSource | undefined> {
  for (const source of sources) {
    for (const place of placesOr(places)) {
      const isGood = await tryPut(async () => {
        const bytes = await source.content(sha256, place, range);
        if (bytes === undefined) return undefined;
        for await (const _ of hashed(bytes, digest));
        return true;
      });
      if (isGood) return source;
    }
  }
  return undefined;
}

/** A source that knows files by their digest is asked though no release is known. */
function placesOr(places: readonly FilePlace[]): readonly (FilePlace | undefined)[] {
  return places.length === 0 ? [undefined] : places;
}

/** Undefined for bytes that are not there, not all there, or not the right ones: the next may have them. */
async function tryPut<T>(act: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (isCoded(error) && NEXT.has(error.code)) return undefined;
    throw error;
  }
}

const NEXT: ReadonlySet<string> = new Set([
  'digest-mismatch',
  'not-found',
  'not-authorised',
  'network',
  'overloaded',
  'damaged',
  'storage',
]);

/** The bytes, which end in a failure when they are not those with that digest. */
async function* hashed(
  bytes: AsyncIterable<Uint8Array>,
  digest: Uint8Array,
): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256');
  for await (const block of bytes) {
    hash.update(block);
    yield block;
  }
  if (equal(hash.digest(), digest)) return;
  throw new CodedError('digest-mismatch', 'these are not the bytes of the chunk');
}

/**
 * A binding is written once, so the old one goes first. For that moment the digest has none,
 * which readers are refused with as they were before; if a seal binds it to what it has just
 * read, that is as good.
 */
async function bind(
  { store, host }: Pick<CheckParts, 'store' | 'host'>,
  { sha256, size, chunks }: DueBy<'content'>,
  blob: string,
): Promise<void> {
  const bytes = bindingForm.format(makeBinding(host, sha256, { blob, size, chunks }));
  const key = keys.digest(sha256);
  await store.delete(key);
  await store.create(key, bytes);
}

/** The published draft's own file goes on by the new blob: its next revision reads it from there. */
async function renameInDraft(
  { store, host }: Pick<CheckParts, 'store' | 'host'>,
  { release, file }: FilePlace,
  old: Key,
  blob: string,
): Promise<void> {
  const key = keys.draftFile(release, pathDigest(host, file.path));
  const held = await load(store, key, fileForm).catch(() => undefined);
  if (held === undefined) return;
  await change(store, key, fileForm, (current) => {
    if (!isStored(current) || keys.blob(current.content.blob) !== old) return current!;
    return { ...current, content: { ...current.content, blob } };
  });
}
