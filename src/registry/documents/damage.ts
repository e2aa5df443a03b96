/**
 * `private/damaged/<key>`: the object at <key> is missing, or is not what it must be. Whoever
 * finds that writes it down, with all that it takes to look once more; the document goes when
 * the object is whole again. Content that is named here is not served.
 */
import * as v from 'valibot';
import { MAX_CHUNKS } from '../../core/release/chunks.ts';
import { base64, count, digest, instant } from '../../core/shape.ts';
import { randomId } from './file.ts';
import { form } from './form.ts';

/** Bytes of a small document that a note may hold. */
const MAX_EXACT_BYTES = 1024;

/** What an object must be. */
const dueSchema = v.variant('by', [
  /** The bytes with that SHA-256. */
  v.strictObject({ by: v.literal('digest'), digest }),
  /** The chunk list with that root, of a file of `size` bytes. */
  v.strictObject({ by: v.literal('chunks'), root: digest, size: count }),
  /** Content: its whole SHA-256, and each chunk by the list with that root. */
  v.strictObject({
    by: v.literal('content'),
    sha256: digest,
    size: count,
    chunks: v.exactOptional(digest),
  }),
  /** Says where the bytes with that digest lie. */
  v.strictObject({ by: v.literal('binding'), sha256: digest, size: count, chunks: digest }),
  /** The document that the entry at that index makes true. */
  v.strictObject({ by: v.literal('entry'), index: count }),
  /** What opens the commitment at that index. */
  v.strictObject({ by: v.literal('opening'), index: count }),
  /** A tile or bundle of the signed tree. */
  v.strictObject({ by: v.literal('tree') }),
  /** A checkpoint by the log's key. */
  v.strictObject({ by: v.literal('signature') }),
  /** A version of the trust root, signed by the one before it. */
  v.strictObject({ by: v.literal('root'), version: count }),
  /** The signature of the release at that index, with a proof of its record. */
  v.strictObject({ by: v.literal('bundle'), index: count }),
  /** The OCI artifacts of a release: as their manifests say. */
  v.strictObject({ by: v.literal('artifacts') }),
  /** These very bytes, which are few. */
  v.strictObject({ by: v.literal('bytes'), bytes: base64(MAX_EXACT_BYTES) }),
  /** Must agree with the entries that it names. */
  v.strictObject({ by: v.literal('log') }),
  /** Must be there, and parse. */
  v.strictObject({ by: v.literal('form') }),
]);

const damageSchema = v.strictObject({
  v: v.literal(1),
  generation: count,
  object: v.string(),
  due: dueSchema,
  problem: v.picklist(['missing', 'damaged', 'unreadable']),
  /** In words. */
  detail: v.string(),
  found: instant,
  /** When it was last seen to be so. */
  seen: instant,
  /** Of content: which chunks, from 0. */
  chunks: v.exactOptional(v.pipe(v.array(count), v.maxLength(MAX_CHUNKS))),
  /** The good blob that a repair has made and is about to bind in its place. */
  replacement: v.exactOptional(randomId),
});

export type Due = v.InferOutput<typeof dueSchema>;
export type DueBy<By extends Due['by']> = Extract<Due, { by: By }>;
export type DamageRecord = v.InferOutput<typeof damageSchema>;

export const damageForm = form<DamageRecord>('the note of damage', damageSchema);
