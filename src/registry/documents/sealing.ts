/**
 * `private/drafts/<ns>/<name>/<version>/sealing`: how a seal goes, written every few seconds by
 * the server that runs it, so that every server can say so, and that another one takes over when
 * it falls silent. Nothing is decided by it.
 */
import * as v from 'valibot';
import { count, digest } from '../../core/shape.ts';
import { randomId } from './file.ts';
import { form } from './form.ts';

const common = {
  v: v.literal(1),
  generation: count,
  /** The process that writes this: drawn at its start. */
  server: randomId,
  /** SHA-256 of what was asked for. */
  request: digest,
};

const sealingSchema = v.variant('state', [
  v.strictObject({ ...common, state: v.literal('running'), bytes: count, total: count }),
  v.strictObject({ ...common, state: v.literal('failed'), code: v.string(), message: v.string() }),
]);

export type Sealing = v.InferOutput<typeof sealingSchema>;

export const sealingForm = form<Sealing>('the progress of the seal', sealingSchema);
