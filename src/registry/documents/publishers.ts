/** `private/publishers/<ns>`: the trusted publishers of a namespace, as its operator configured them. */
import * as v from 'valibot';
import { MAX_PUBLISHERS, trustedPublisher } from '../../core/release/trusted-publisher.ts';
import { count } from '../../core/shape.ts';
import { form } from './form.ts';

const entry = v.strictObject({
  ...trustedPublisher.entries,
  /** The generation in which it was added: trusted once more after it was removed, it is another. */
  since: v.exactOptional(count, 0),
});

export type PublisherEntry = v.InferOutput<typeof entry>;

const publishersSchema = v.strictObject({
  v: v.literal(1),
  generation: count,
  publishers: v.pipe(
    v.array(entry),
    v.maxLength(MAX_PUBLISHERS, `must hold at most ${MAX_PUBLISHERS} trusted publishers`),
  ),
});

export type PublishersRecord = v.InferOutput<typeof publishersSchema>;

export const publishersForm = form<PublishersRecord>('the trusted publishers', publishersSchema);
