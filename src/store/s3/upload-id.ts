/** An upload's id: S3's own, with the shape in front, so that a restarted server knows it. */
import { CodedError } from '../../core/error.ts';
import type { UploadId, UploadShape } from '../contract.ts';
import { checkShape } from '../upload-shape.ts';

const ID = /^([1-9][0-9]{0,15})\.([1-9][0-9]{0,15})\.([\x21-\x7e]{1,1024})$/;

export interface BucketUpload {
  readonly shape: UploadShape;
  /** S3's id. */
  readonly id: string;
}

export function formatUploadId({ shape, id }: BucketUpload): UploadId {
  return `${shape.size}.${shape.partSize}.${id}` as UploadId;
}

/** Throws `internal` for what `formatUploadId` does not write. */
export function parseUploadId(text: UploadId): BucketUpload {
  const [, size, partSize, id] = ID.exec(text) ?? [];
  if (id === undefined) throw new CodedError('internal', `"${text}" names no upload of a bucket`);
  const shape = { size: Number(size), partSize: Number(partSize) };
  checkShape(shape);
  return { shape, id };
}
