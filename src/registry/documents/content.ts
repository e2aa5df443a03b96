/**
 * `digests/sha256/<aa>/<bb>/<hex>`: where the bytes with a digest lie. Written once, by the
 * registry, after it hashed them; what it names never changes either.
 */
import * as v from 'valibot';
import { count } from '../../core/shape.ts';
import { randomId } from './file.ts';
import { form } from './form.ts';

const bindingSchema = v.strictObject({ v: v.literal(1), blob: randomId, size: count });

export type Binding = v.InferOutput<typeof bindingSchema>;

export const bindingForm = form<Binding>('the content’s place', bindingSchema);

/** A claim says by being there all that it says: this namespace, or the public, has that digest. */
export const CLAIM = form('the claim', v.strictObject({ v: v.literal(1) })).format({ v: 1 });
