/**
 * `roots`: where the log has the versions of the trust root, from version 2 on (version 1 is
 * pinned and stands in no log). A version is shown once the published log covers its entry.
 */
import * as v from 'valibot';
import { count } from '../../core/shape.ts';
import { MAX_ROOT_STEPS } from '../../core/trust/succession.ts';
import { form } from './form.ts';

const rootsSchema = v.strictObject({
  v: v.literal(1),
  index: count,
  /** Index of version 2, of version 3, … */
  logged: v.pipe(v.array(count), v.maxLength(100 * MAX_ROOT_STEPS)),
});

export type RootsRecord = v.InferOutput<typeof rootsSchema>;

export const rootsForm = form<RootsRecord>('the roots', rootsSchema);
