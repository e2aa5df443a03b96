/**
 * The staging bundle: everything that one commit makes true, in one object that is stored
 * before the lock is swapped and carried out after it. If the process dies between the two,
 * whoever comes next finishes with the same code.
 *
 *     weighhouse/staging/v1\n
 *     sha256:<64 hex>\n                     digest of every byte after this line
 *     {"objects":[…],"v":1}\n               canonical JSON, one member an object, in order:
 *         {"key":"log/tile/0/000.p/3","kind":"immutable","size":96}
 *         {"index":3,"key":"namespaces/acme","kind":"newest","size":311}
 *     the objects' bytes, one after another
 *
 * The objects are the tiles and the documents of the items. They are not written before
 * the commit because they can be written only once: the tiles of an attempt that lost would
 * stand in the way of the one that won.
 */
import * as v from 'valibot';
import { concat, equal, parseUtf8, utf8 } from '../core/bytes.ts';
import { digestOf } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { formatCanonical, type JsonObject, parseCanonical, parseJson } from '../core/json.ts';
import { inParallel } from '../core/parallel.ts';
import { count, parseShape } from '../core/shape.ts';
import type { Store } from '../store/contract.ts';
import { type Key, parseKey } from '../store/keys.ts';
import type { StagedDocument } from './item.ts';
import { type Pause, persist } from './pause.ts';

type Sha256 = Pick<Host, 'sha256'>;

/** The largest bundle, in bytes. A full batch with its documents stays below. */
export const MAX_STAGING_BYTES = 256 << 20;
/** The objects of the largest bundle, in bytes; the rest of it is for the header. */
export const MAX_STAGED_CONTENT_BYTES = 224 << 20;
/** The largest staged object, in bytes: a full entry bundle (256 entries of 65,535 bytes) fits. */
export const MAX_STAGED_OBJECT_BYTES = 32 << 20;
/** Objects that are written at the same time. */
const PARALLEL_WRITES = 16;

const MAGIC = utf8('weighhouse/staging/v1\n');
const DIGEST_LINE_BYTES = 'sha256:'.length + 64 + 1;
const NEWLINE = 0x0a;
/** The header of the largest batch: a few hundred bytes for each of at most 65,536 objects. */
const HEADER_LIMITS = { maxBytes: 32 << 20, maxDepth: 4 };

const key = v.pipe(v.string(), v.check(isKey, 'must be a key of the store'));
const Header = v.strictObject({
  objects: v.array(
    v.variant('kind', [
      v.strictObject({ key, kind: v.literal('immutable'), size: count }),
      v.strictObject({ index: count, key, kind: v.literal('newest'), size: count }),
    ]),
  ),
  v: v.literal(1),
});

/** The bundle's bytes. Throws `too-large` for one that nobody could read back. */
export function formatStaging(host: Sha256, objects: readonly StagedDocument[]): Uint8Array {
  requireReadable(objects);
  const header = formatCanonical({ objects: objects.map(describe), v: 1 });
  const body = concat(header, Uint8Array.of(NEWLINE), ...objects.map((object) => object.bytes));
  return concat(MAGIC, utf8(`${digestOf(host, body)}\n`), body);
}

/** What cannot be replayed must not be committed. */
function requireReadable(objects: readonly StagedDocument[]): void {
  let bytes = 0;
  for (const object of objects) bytes += object.bytes.length;
  if (bytes <= MAX_STAGED_CONTENT_BYTES) return;
  throw new CodedError(
    'too-large',
    `one commit may write ${MAX_STAGED_CONTENT_BYTES} bytes, not ${bytes}`,
  );
}

function describe(object: StagedDocument): JsonObject {
  const { key, kind } = object;
  const size = object.bytes.length;
  return kind === 'newest' ? { index: object.index, key, kind, size } : { key, kind, size };
}

/** Reads a bundle that is exactly what `formatStaging` writes. `what` names it in messages. */
export function parseStaging(host: Sha256, bytes: Uint8Array, what: string): StagedDocument[] {
  const body = openBody(host, bytes, what);
  const end = body.indexOf(NEWLINE);
  if (end < 0) throw damaged(what, 'its header has no end');
  const header = parseCanonical(body.subarray(0, end), what, HEADER_LIMITS);
  const { objects } = parseShape(Header, header, what);
  let offset = end + 1;
  const parsed = objects.map(({ key, size, ...rest }): StagedDocument => {
    if (size > body.length - offset) throw damaged(what, `it ends within ${key}`);
    offset += size;
    return { ...rest, key: parseKey(key), bytes: body.subarray(offset - size, offset) };
  });
  if (offset !== body.length) throw damaged(what, 'bytes follow its last object');
  return parsed;
}

/** What stands after the digest line, once it is known to fit the digest. */
function openBody(host: Sha256, bytes: Uint8Array, what: string): Uint8Array {
  const start = MAGIC.length + DIGEST_LINE_BYTES;
  if (bytes.length < start || !equal(bytes.subarray(0, MAGIC.length), MAGIC)) {
    throw damaged(what, 'it does not begin as a staging bundle does');
  }
  const line = parseUtf8(bytes.subarray(MAGIC.length, start), what);
  const body = bytes.subarray(start);
  if (line !== `${digestOf(host, body)}\n`)
    throw damaged(what, 'its digest does not fit its bytes');
  return body;
}

/**
 * Carries a committed bundle out: tiles and immutable documents first, then the documents
 * that point at them. Doing it twice, or in two processes at once, is the same as once.
 * Throws `storage` when an immutable object is already there with other bytes: damage.
 *
 * With `pauses`, each write is tried until it goes through, by itself: where one in ten fails,
 * hardly any bundle would go through as a whole.
 */
export async function applyStaged(
  store: Store,
  objects: readonly StagedDocument[],
  pauses?: () => Pause,
): Promise<void> {
  const insist = (step: () => Promise<void>) => (pauses ? persist(pauses(), step) : step());
  await inParallel(objects, PARALLEL_WRITES, async (object) => {
    if (object.kind !== 'immutable') return;
    await insist(() => createExactly(store, object.key, object.bytes));
  });
  await inParallel(objects, PARALLEL_WRITES, async (object) => {
    if (object.kind === 'newest') await insist(() => replaceOlder(store, object));
  });
}

/** Create-if-absent; what is there already must be these very bytes (spec: a 412 is read back). */
async function createExactly(store: Store, key: Key, bytes: Uint8Array): Promise<void> {
  if ((await store.create(key, bytes)) === 'created') return;
  const stored = await store.get(key, MAX_STAGED_OBJECT_BYTES);
  if (stored === undefined || !equal(stored.bytes, bytes)) {
    throw new CodedError(
      'storage',
      `${key} in ${store.name} is there with other bytes than were committed: the store is damaged or was restored from an old copy; restore the object before you go on`,
      { key, fatal: true },
    );
  }
}

type Newest = Extract<StagedDocument, { kind: 'newest' }>;

/** Replaces the document unless a later commit already did. */
async function replaceOlder(store: Store, document: Newest): Promise<void> {
  for (;;) {
    const stored = await store.get(document.key, MAX_STAGED_OBJECT_BYTES);
    if (stored !== undefined && indexOf(document.key, stored.bytes) >= document.index) return;
    const version = await store.swap(document.key, stored?.version ?? null, document.bytes);
    if (version !== undefined) return;
  }
}

/** The largest is the heads document of a registry with very many namespaces. */
const DOCUMENT_LIMITS = { maxBytes: MAX_STAGED_OBJECT_BYTES, maxDepth: 32 };

const Indexed = v.object({ index: count });

/** The member `index` of a `newest` document. */
export function indexOf(key: Key, bytes: Uint8Array): number {
  return parseShape(Indexed, parseJson(bytes, key, DOCUMENT_LIMITS), key).index;
}

function isKey(text: string): boolean {
  try {
    parseKey(text);
    return true;
  } catch {
    return false;
  }
}

function damaged(what: string, how: string): CodedError {
  return new CodedError('bad-document', `${what} is damaged: ${how}`);
}
