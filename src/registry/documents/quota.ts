/**
 * `private/quotas/<ns>`: what a namespace may take up, and what it does. There is none for a
 * namespace that nobody has limited. Limits and use stand in one document, so that one
 * compare-and-swap decides whether a file still fits, whichever servers ask.
 *
 * What is used is the sum over all drafts of the namespace that were not withdrawn, of the
 * sizes that their files were declared with. Those that are published stay in it, for good.
 *
 *     used = settled + every draft in `drafts` + every grant in it
 */
import * as v from 'valibot';
import { count } from '../../core/shape.ts';
import { form } from './form.ts';

/** Drafts of one limited namespace that are neither published nor withdrawn. */
export const MAX_OPEN_DRAFTS = 1_000;

const amount = { files: count, bytes: count };
const amountSchema = v.strictObject(amount);

const limitsSchema = v.strictObject({
  /** Bytes of all files, published ones too. */
  bytes: v.exactOptional(count),
  /** Files, published ones too. */
  files: v.exactOptional(count),
  /** Drafts that are neither published nor withdrawn. */
  drafts: v.exactOptional(count),
});

const draftSchema = v.strictObject({
  ...amount,
  /** Set when a failure left in the dark whether something was counted: it is counted anew. */
  drift: v.exactOptional(v.literal(true)),
  /**
   * What each server has set aside to declare files from, at `at` (milliseconds since 1970),
   * and not given back yet. It is there as long as that server may change files of the draft.
   */
  grants: v.record(v.string(), v.strictObject({ ...amount, at: count })),
});

const quotaSchema = v.strictObject({
  v: v.literal(1),
  generation: count,
  /** Without it those that the servers are started with are in force. */
  limits: v.exactOptional(limitsSchema),
  /** Drafts that are published. */
  settled: amountSchema,
  /** By release name. */
  drafts: v.record(v.string(), draftSchema),
});

export type Amount = v.InferOutput<typeof amountSchema>;
export type Limits = v.InferOutput<typeof limitsSchema>;
export type DraftUse = v.InferOutput<typeof draftSchema>;
export type QuotaRecord = v.InferOutput<typeof quotaSchema>;

export const quotaForm = form<QuotaRecord>('the quota', quotaSchema, {
  maxBytes: 8 * 2 ** 20,
  maxDepth: 6,
});

export const NOTHING: Amount = { files: 0, bytes: 0 };

export function plus(a: Amount, b: Amount): Amount {
  return { files: a.files + b.files, bytes: a.bytes + b.bytes };
}

export function minus(a: Amount, b: Amount): Amount {
  return { files: a.files - b.files, bytes: a.bytes - b.bytes };
}

/** What was counted of a draft, and what is set aside for it. */
export function heldBy({ files, bytes, grants }: DraftUse): Amount {
  return Object.values(grants).reduce<Amount>(plus, { files, bytes });
}

/** All that counts against the limits. */
export function usedOf({ settled, drafts }: QuotaRecord): Amount {
  return Object.values(drafts).map(heldBy).reduce(plus, settled);
}
