/** How uploads are cut into parts: S3's limits, which every store keeps. */
import { CodedError } from '../core/error.ts';
import type { Part, UploadShape } from './contract.ts';

/** Bytes of the smallest part that S3 takes, the last of an upload aside. */
export const MIN_PART_SIZE = 5 * 1024 * 1024;
/** Bytes of the largest part that S3 takes. */
export const MAX_PART_SIZE = 5 * 1024 * 1024 * 1024;
/** Parts of one upload. */
export const MAX_PARTS = 10_000;

/** Number of parts. */
export function partCount(shape: UploadShape): number {
  return Math.ceil(shape.size / shape.partSize);
}

/** Bytes of part `number`; throws `internal` for a part that the upload does not have. */
export function partLength(shape: UploadShape, number: number): number {
  const count = partCount(shape);
  if (!Number.isInteger(number) || number < 1 || number > count) {
    throw new CodedError('internal', `the upload has no part ${number}: they are 1 to ${count}`);
  }
  return Math.min(shape.partSize, shape.size - (number - 1) * shape.partSize);
}

/** Throws `internal` for a shape outside the limits. */
export function checkShape({ size, partSize }: UploadShape): void {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new CodedError('internal', `an upload cannot have ${size} bytes`);
  }
  if (!Number.isInteger(partSize) || partSize < MIN_PART_SIZE || partSize > MAX_PART_SIZE) {
    throw new CodedError(
      'internal',
      `a part of ${partSize} bytes is outside ${MIN_PART_SIZE} to ${MAX_PART_SIZE}`,
    );
  }
  if (partCount({ size, partSize }) > MAX_PARTS) {
    throw new CodedError('internal', `${size} bytes make more than ${MAX_PARTS} parts`);
  }
}

/** Throws `digest-mismatch` unless part `number` has `length` bytes. */
export function checkPartLength(shape: UploadShape, number: number, length: number): void {
  const wanted = partLength(shape, number);
  if (length !== wanted) throw wrongLength(number, length, wanted);
}

/** What a part of another length than declared is refused with. */
export function wrongLength(number: number, found: number | string, wanted: number): CodedError {
  return new CodedError(
    'digest-mismatch',
    `part ${number} has ${found} bytes instead of ${wanted}: send it again`,
    { part: number },
  );
}

/** Throws `conflict` unless `parts` names each part of the upload once. */
export function checkAllParts(shape: UploadShape, parts: readonly Pick<Part, 'number'>[]): void {
  const named = new Set(parts.map((part) => part.number));
  const count = partCount(shape);
  if (parts.length !== named.size) {
    throw new CodedError('conflict', 'a part is named twice: name each part of the upload once');
  }
  for (let number = 1; number <= count; number++) {
    if (!named.has(number)) throw missingPart(number);
  }
  if (parts.length !== count) {
    throw new CodedError('conflict', `${parts.length} parts are named, the upload has ${count}`);
  }
}

/** What completing an upload without one of its parts is refused with. */
export function missingPart(number: number): CodedError {
  return new CodedError('conflict', `part ${number} of the upload is missing: send it again`, {
    part: number,
  });
}
