/**
 * `uploads/<id>/upload`: what an upload is for, and how it is cut. Canonical JSON:
 *
 *     {"key":"blobs/ab/ab…","partSize":67108864,"size":536870912,"v":1}
 */
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { CodedError } from '../../core/error.ts';
import { formatCanonical, parseCanonical } from '../../core/json.ts';
import type { UploadShape } from '../contract.ts';
import type { Key } from '../keys.ts';
import { isErrno } from './failure.ts';

const UPLOAD = v.strictObject({
  key: v.string(),
  partSize: v.number(),
  size: v.number(),
  v: v.literal(1),
});

export function formatUpload(key: Key, { size, partSize }: UploadShape): Uint8Array {
  return formatCanonical({ key, partSize, size, v: 1 });
}

/** The upload in `bytes`, read from `file`. Throws `storage` if it is not what was written. */
export function parseUpload(bytes: Uint8Array, file: string): UploadShape & { key: string } {
  try {
    const { key, size, partSize } = v.parse(UPLOAD, parseCanonical(bytes, file));
    return { key, size, partSize };
  } catch (error) {
    throw new CodedError(
      'storage',
      `${file} is damaged: begin the upload anew`,
      { path: file },
      {
        cause: error,
      },
    );
  }
}

/** The shape of the upload for `key` in `file`, or undefined when there is none. */
export async function readUpload(file: string, key: Key): Promise<UploadShape | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  const upload = parseUpload(bytes, file);
  if (upload.key === key) return upload;
  throw new CodedError('internal', `${file} is for another key than ${key}`);
}
