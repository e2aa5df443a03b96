/**
 * `private/uploads/<random>/…`: an upload, written once, and each of its parts, so that any
 * process can go on with what another one, or an earlier one, began.
 */
import * as v from 'valibot';
import { count, digest } from '../../core/shape.ts';
import { form } from './form.ts';

const uploadSchema = v.strictObject({
  v: v.literal(1),
  /** The draft and the file that it is for, and no other. */
  release: v.string(),
  path: v.string(),
  /** The store's name for it. */
  id: v.string(),
  /** Bytes of the whole file. */
  size: count,
  /** Bytes of each part but the last. */
  partSize: count,
});

const partSchema = v.strictObject({
  v: v.literal(1),
  number: count,
  /** What the store answered, and asks for again at completion. */
  tag: v.string(),
  /** Of the bytes as they came in. */
  sha256: digest,
});

export type Upload = v.InferOutput<typeof uploadSchema>;
export type UploadedPart = v.InferOutput<typeof partSchema>;

export const uploadForm = form<Upload>('the upload', uploadSchema);
export const partForm = form<UploadedPart>('the uploaded part', partSchema);
