/**
 * `namespaces/<ns>`: the namespace as the log has made it so far. `index` is that of the
 * entry that changed it last, by which a late writer sees that it is late.
 */
import * as v from 'valibot';
import { headSchema } from '../../core/log/heads.ts';
import { count, digest, instant } from '../../core/shape.ts';
import { form } from './form.ts';

const LIMITS = { maxBytes: 16 * 2 ** 20, maxDepth: 5 };

const namespaceSchema = v.strictObject({
  v: v.literal(1),
  index: count,
  head: headSchema,
  /** Every version of the policy, in the order of the log; `head.policy` is the newest one's index. */
  policies: v.pipe(
    v.array(v.strictObject({ index: count, time: instant, digest, signed: v.array(digest) })),
    v.minLength(1),
  ),
  /** The statement of each advisory in `head.advisories`: the same one is not logged twice. */
  statements: v.array(digest),
  /** Release → how many of them are about it. */
  advised: v.exactOptional(v.record(v.string(), count)),
});

export type NamespaceRecord = v.InferOutput<typeof namespaceSchema>;

export const namespaceForm = form<NamespaceRecord>('the namespace', namespaceSchema, LIMITS);

/** `skeletons/<skeleton>`: the first namespace that looks like this. */
export const skeletonForm = form(
  'the skeleton',
  v.strictObject({ v: v.literal(1), namespace: v.string() }),
);
