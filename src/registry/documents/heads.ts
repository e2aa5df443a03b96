/**
 * `heads`: the newest heads entry, with the leaves that its root is over, so that the next
 * one is made, and a namespace's place in it shown, without reading every namespace.
 */
import * as v from 'valibot';
import { count, hex32, instant, record } from '../../core/shape.ts';
import { form } from './form.ts';

/** What a store reads of a document; `MAX_NAMESPACES` fit. */
const LIMITS = { maxBytes: 16 * 2 ** 20, maxDepth: 3 };

const headsSchema = v.strictObject({
  v: v.literal(1),
  index: count,
  time: instant,
  /** Namespace → leaf hash of its head. */
  leaves: record(hex32),
});

export type HeadsRecord = v.InferOutput<typeof headsSchema>;

export const headsForm = form<HeadsRecord>('the heads', headsSchema, LIMITS);
