/**
 * Documents that the registry keeps in the store: canonical JSON of a fixed shape. Those
 * that change carry a `generation` and change by compare-and-swap alone, so that any number
 * of processes may do so.
 */
import type * as v from 'valibot';
import { CodedError, messageOf } from '../../core/error.ts';
import {
  DEFAULT_JSON_LIMITS,
  formatCanonical,
  type Json,
  type JsonLimits,
  parseCanonical,
} from '../../core/json.ts';
import { parseShape } from '../../core/shape.ts';
import type { Store, Version } from '../../store/contract.ts';
import type { Key } from '../../store/keys.ts';

/** One kind of document. */
export interface Form<T> {
  /** `where` is how messages name the document. */
  parse(bytes: Uint8Array, where?: string): T;
  format(value: T): Uint8Array;
}

/** A document as it stood in the store under `version`. */
export interface Held<T> {
  readonly value: T;
  readonly version: Version;
}

/**
 * The form of documents called `what` in messages. The registry wrote them itself: one that
 * does not parse was damaged in the store, and is nobody's bad input. Parsing throws `storage`.
 */
export function form<T>(
  what: string,
  schema: v.GenericSchema<unknown, T>,
  limits: JsonLimits = DEFAULT_JSON_LIMITS,
): Form<T> {
  const read = (bytes: Uint8Array) => parseShape(schema, parseCanonical(bytes, what, limits), what);
  const parse = (bytes: Uint8Array, where = what) => {
    try {
      return read(bytes);
    } catch (error) {
      throw damaged(where, error);
    }
  };
  const format = (value: T) => {
    const bytes = formatCanonical(value as Json);
    read(bytes);
    return bytes;
  };
  return { parse, format };
}

/** The document at `key`, or undefined. Throws `storage` for a damaged one. */
export async function load<T>(
  store: Store,
  key: Key,
  { parse }: Form<T>,
): Promise<Held<T> | undefined> {
  const stored = await store.get(key);
  if (stored === undefined) return undefined;
  return { value: parse(stored.bytes, `${key} in ${store.name}`), version: stored.version };
}

/**
 * Changes the document at `key` to what `next` makes of it, again and again until no other
 * writer comes between. `next` returns the very document it was given to leave it as it is.
 */
export async function change<T extends { readonly generation: number }>(
  store: Store,
  key: Key,
  kind: Form<T>,
  next: (current: T | undefined) => T,
): Promise<T> {
  for (;;) {
    const held = await load(store, key, kind);
    const wanted = next(held?.value);
    if (wanted === held?.value) return wanted;
    const changed = { ...wanted, generation: (held?.value.generation ?? 0) + 1 };
    const version = await store.swap(key, held?.version ?? null, kind.format(changed));
    if (version !== undefined) return changed;
  }
}

/** Creates the immutable document at `key`. Throws `conflict` when another one is there. */
export async function createOnce<T>(
  store: Store,
  key: Key,
  kind: Form<T>,
  value: T,
): Promise<void> {
  if ((await store.create(key, kind.format(value))) === 'created') return;
  throw new CodedError('conflict', `${key} is there already`, { key });
}

/** What the store has kept at `where` is not what was written there. */
export function damaged(where: string, cause: unknown): CodedError {
  const message = `${where} is damaged (${messageOf(cause)}); restore it`;
  return new CodedError('storage', message, { where }, { cause });
}
