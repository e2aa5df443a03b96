/**
 * Orphans: objects that nothing names any more. A crash at the wrong moment leaves them, and
 * so does a push that nobody finishes. They do no harm but take room; so they are reported, and
 * only removed when somebody says so, and only when they are older than any work that could
 * still be going on.
 *
 *     blob      no digest is bound to it, and no file of a draft and no upload names it
 *     upload    what was noted of an upload that no file of a draft names
 *     staging   a staged commit that was neither carried out nor swept
 *     probe     left by a start, or by a question whether the store takes writes
 *
 * Files of drafts are looked at before bindings: a blob goes from the first to the second and
 * never back, so it is met in one of them. Ages are by the store's own clock on both sides.
 */
import { formatHex, utf8 } from '../core/bytes.ts';
import { digestOf } from '../core/digest.ts';
import type { Host } from '../core/host.ts';
import { parseReleaseName } from '../core/release/name.ts';
import { loadLock } from '../log/lock.ts';
import type { Damages } from '../registry/damages.ts';
import { bindingForm } from '../registry/documents/content.ts';
import { fileForm } from '../registry/documents/file.ts';
import { load } from '../registry/documents/form.ts';
import { uploadForm } from '../registry/documents/upload.ts';
import type { Store, UploadId } from '../store/contract.ts';
import { type Key, keys, prefixes } from '../store/keys.ts';
import { kindOf } from './kinds.ts';
import { NameSet } from './name-set.ts';

/** Days after which nothing that is under way can need an object that nothing names. */
export const ORPHAN_DAYS = 7;
const DAY_MS = 24 * 3600 * 1000;

export interface Orphan {
  readonly key: Key;
  readonly kind: 'blob' | 'upload' | 'staging' | 'probe';
  /** Milliseconds. */
  readonly age: number;
  readonly bytes: number;
}

export interface OrphanParts {
  readonly store: Store;
  readonly host: Host;
  readonly damages: Damages;
  /** 32 fresh hex digits. */
  readonly random: () => string;
  readonly days?: number;
  /** Names that are kept at a time; fewer only in tests. */
  readonly maxNames?: number;
}

/** Every orphan that is old enough to be one. */
export async function* findOrphans(parts: OrphanParts): AsyncGenerator<Orphan> {
  const now = await storeClock(parts);
  const oldest = now - (parts.days ?? ORPHAN_DAYS) * DAY_MS;
  const judge = async (key: Key, kind: Orphan['kind']): Promise<Orphan[]> => {
    const modified = (await parts.store.stat(key))?.modified;
    if (modified === undefined || modified > oldest) return [];
    const bytes = (await parts.store.size(key)) ?? 0;
    return [{ key, kind, age: now - modified, bytes }];
  };
  for await (const key of orphanBlobs(parts)) yield* await judge(key, 'blob');
  for await (const key of orphanUploads(parts)) yield* await judge(key, 'upload');
  for await (const key of orphanStaging(parts)) yield* await judge(key, 'staging');
  for await (const key of parts.store.list(prefixes.privateFolder('probe'))) {
    yield* await judge(key, 'probe');
  }
}

/** Removes an orphan, and what the store keeps of an upload beside it. */
export async function removeOrphan({ store }: Pick<OrphanParts, 'store'>, { key, kind }: Orphan) {
  if (kind === 'upload' && kindOf(key) === 'upload') {
    const held = await load(store, key, uploadForm).catch(() => undefined);
    const blob = keys.blob(uploadOf(key));
    if (held !== undefined) await store.abortUpload(blob, held.value.id as UploadId);
  }
  await store.delete(key);
}

/** What time it is for the store: the date of an object that was written this moment. */
export async function storeClock({
  store,
  random,
}: Pick<OrphanParts, 'store' | 'random'>): Promise<number> {
  const key = keys.probe(random());
  await store.create(key, new Uint8Array(1));
  const now = (await store.stat(key))?.modified;
  await store.delete(key);
  return now ?? Number.NEGATIVE_INFINITY;
}

/** Goes through the names in as many rounds as fit into memory. */
async function* orphanBlobs(parts: OrphanParts): AsyncGenerator<Key> {
  for (let from = 0; from < 256; ) {
    const names = new NameSet(from, parts.maxNames);
    for await (const name of namedByDrafts(parts)) names.add(name);
    for await (const name of namedByRepairs(parts)) names.add(name);
    for await (const name of boundBlobs(parts)) names.add(name);
    names.seal();
    for (let first = from; first < names.to; first++) {
      for await (const key of parts.store.list(prefixes.blobs(formatHex(Uint8Array.of(first))))) {
        if (!names.has(key.slice(-32))) yield key;
      }
    }
    from = names.to;
  }
}

/** A document that cannot be read may name anything: then nothing is known to be an orphan. */
async function* namedByDrafts({ store }: OrphanParts): AsyncGenerator<string> {
  for await (const key of store.list(prefixes.drafts())) {
    if (kindOf(key) !== 'draftFile') continue;
    const content = (await load(store, key, fileForm))?.value.content;
    if (content?.state === 'uploading') yield content.upload;
    else if (content?.state === 'stored') yield content.blob;
  }
}

async function* namedByRepairs({ damages }: OrphanParts): AsyncGenerator<string> {
  for await (const { record } of damages.records()) {
    if (record?.replacement !== undefined) yield record.replacement;
  }
}

async function* boundBlobs({ store }: OrphanParts): AsyncGenerator<string> {
  for (let first = 0; first < 256; first++) {
    const shard = formatHex(Uint8Array.of(first));
    for await (const key of store.list(prefixes.digests(shard))) {
      const binding = await load(store, key, bindingForm);
      if (binding !== undefined) yield binding.value.blob;
    }
  }
}

async function* orphanUploads({ store, host }: OrphanParts): AsyncGenerator<Key> {
  const judged = new Map<string, boolean>();
  for await (const key of store.list(prefixes.uploads())) {
    const name = uploadOf(key);
    const isNamed = judged.get(name) ?? (await isUploadNamed({ store, host }, name));
    if (judged.size > 10_000) judged.clear();
    judged.set(name, isNamed);
    if (!isNamed) yield key;
  }
}

async function isUploadNamed(
  { store, host }: Pick<OrphanParts, 'store' | 'host'>,
  name: string,
): Promise<boolean> {
  const upload = await load(store, keys.upload(name), uploadForm);
  if (upload === undefined) return false;
  const { release, path } = upload.value;
  const file = keys.draftFile(parseReleaseName(release), digestOf(host, utf8(path)));
  const content = (await load(store, file, fileForm))?.value.content;
  if (content?.state === 'uploading') return content.upload === name;
  return content?.state === 'stored' && content.blob === name;
}

/** All but the bundle that the lock names: that one is carried out by the next start. */
async function* orphanStaging({ store }: OrphanParts): AsyncGenerator<Key> {
  const lock = await loadLock(store);
  for await (const key of store.list(prefixes.staging())) {
    if (lock === undefined || !key.endsWith(`-${lock.nonce}`)) yield key;
  }
}

function uploadOf(key: Key): string {
  return key.slice(prefixes.uploads().length).split('/')[0]!;
}
