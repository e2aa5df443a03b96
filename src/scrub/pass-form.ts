/**
 * `private/scrub/state`: how far the scrub of a store is. One pass goes through all of it in
 * units; whoever scrubs takes the next one on a lease, so that any number of servers share a
 * pass and none does what another one does. A lease that has run out is taken over where its
 * holder was.
 */
import * as v from 'valibot';
import { count, instant } from '../core/shape.ts';
import { randomId } from '../registry/documents/file.ts';
import { form, load } from '../registry/documents/form.ts';
import type { Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';

/** Processes that may scrub one store at the same time. */
export const MAX_LEASES = 64;

const sums = { objects: count, bytes: count, damaged: count };

const leaseSchema = v.strictObject({
  unit: count,
  holder: randomId,
  /** Milliseconds since 1970. */
  until: count,
  /** What is done of the unit, in its own terms; empty at its beginning. */
  after: v.string(),
});

const passSchema = v.strictObject({
  v: v.literal(1),
  generation: count,
  /** From 1. */
  pass: count,
  begun: instant,
  /** Entries of the log when it began. */
  size: count,
  /** The first unit that nobody has taken. */
  next: count,
  leases: v.pipe(v.array(leaseSchema), v.maxLength(MAX_LEASES)),
  ...sums,
  /** When the last unit was done. */
  ended: v.exactOptional(instant),
});

export type Lease = v.InferOutput<typeof leaseSchema>;
export type PassRecord = v.InferOutput<typeof passSchema>;

export const passForm = form<PassRecord>('the state of the scrub', passSchema);

/** The pass that runs, or ran last, for those who only look; undefined where none has begun. */
export async function newestPass(store: Store): Promise<PassRecord | undefined> {
  return (await load(store, keys.scrub(), passForm))?.value;
}
