/**
 * `digests/sha256/<aa>/<bb>/<hex>`: where the bytes with a digest lie, and the root of their
 * chunk list. Written once, by the registry, after it hashed them; what it names never changes
 * either. Only a repair makes it anew, for a blob in the place of a damaged one.
 */
import * as v from 'valibot';
import { formatHex, utf8 } from '../../core/bytes.ts';
import type { Digest } from '../../core/digest.ts';
import type { Host } from '../../core/host.ts';
import { count, digest, hex32 } from '../../core/shape.ts';
import { randomId } from './file.ts';
import { form } from './form.ts';

const bindingSchema = v.strictObject({
  v: v.literal(1),
  blob: randomId,
  size: count,
  /** Root of the chunk list; absent from bindings of before it was noted. */
  chunks: v.exactOptional(digest),
  /** Over all that it says and the digest that it is for (`bindingSum`): nothing else would tell that a name has rotted. */
  sum: v.exactOptional(hex32),
});

export type Binding = v.InferOutput<typeof bindingSchema>;

export const bindingForm = form<Binding>('the content’s place', bindingSchema);

/** The binding of `sha256` to a blob. */
export function makeBinding(
  host: Pick<Host, 'sha256'>,
  sha256: Digest,
  said: { readonly blob: string; readonly size: number; readonly chunks?: Digest | undefined },
): Binding {
  const { blob, size, chunks } = said;
  const binding = { v: 1, blob, size, ...(chunks !== undefined && { chunks }) } as const;
  return { ...binding, sum: bindingSum(host, sha256, binding) };
}

/** Does the binding say what was written for that digest? One of before there were sums always does. */
export function isWhole(host: Pick<Host, 'sha256'>, sha256: Digest, binding: Binding): boolean {
  return binding.sum === undefined || binding.sum === bindingSum(host, sha256, binding);
}

/** SHA-256 in hex over digest, blob, size and chunk root, a line each. */
function bindingSum(
  { sha256: hash }: Pick<Host, 'sha256'>,
  sha256: Digest,
  { blob, size, chunks = '' as Digest }: Omit<Binding, 'v' | 'sum'>,
): string {
  return formatHex(hash(utf8(`${sha256}\n${blob}\n${size}\n${chunks}\n`)));
}

/** A claim says by being there all that it says: this namespace has sent the bytes with that digest. */
export const CLAIM = form('the claim', v.strictObject({ v: v.literal(1) })).format({ v: 1 });

const publicClaimSchema = v.strictObject({
  v: v.literal(1),
  /** Whose release shows the bytes; absent from claims of before bytes could be for readers alone. */
  namespace: v.exactOptional(v.string()),
});

/** Says that a published release has a file with that digest. */
export const publicClaimForm = form<v.InferOutput<typeof publicClaimSchema>>(
  'the public claim',
  publicClaimSchema,
);
