/** `private/publishers/<ns>`: the trusted publishers of a namespace, as its operator configured them. */
import * as v from 'valibot';
import { MAX_PUBLISHERS, trustedPublisher } from '../../core/release/trusted-publisher.ts';
import { count } from '../../core/shape.ts';
import { form } from './form.ts';

const publishersSchema = v.strictObject({
  v: v.literal(1),
  generation: count,
  publishers: v.pipe(
    v.array(trustedPublisher),
    v.maxLength(MAX_PUBLISHERS, `must hold at most ${MAX_PUBLISHERS} trusted publishers`),
  ),
});

export type PublishersRecord = v.InferOutput<typeof publishersSchema>;

export const publishersForm = form<PublishersRecord>('the trusted publishers', publishersSchema);
