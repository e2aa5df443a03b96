/**
 * One generation of a document on disk:
 *
 *     weighhouse-document 1 <64 hex digits of the SHA-256 of the rest>\n
 *     <the document's bytes>
 *
 * Objects name or prove their own content; documents change, so nothing else would notice a
 * torn or rotten one. A generation that fails its check is never skipped for an older one:
 * that would be a rollback.
 */
import { hash } from 'node:crypto';
import { equal, utf8 } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';

/** Bytes in front of the document's own. */
export const DOCUMENT_HEAD_LENGTH = headOf(new Uint8Array()).length;

/** The file's bytes, in two parts. */
export function formatDocumentFile(bytes: Uint8Array): readonly Uint8Array[] {
  return [headOf(bytes), bytes];
}

/** The document in a file. Throws `storage` if it is not what was written. */
export function parseDocumentFile(file: Uint8Array, path: string): Uint8Array {
  const bytes = file.subarray(DOCUMENT_HEAD_LENGTH);
  if (equal(file.subarray(0, DOCUMENT_HEAD_LENGTH), headOf(bytes))) return bytes;
  throw new CodedError(
    'storage',
    `${path} is damaged (its checksum does not fit): restore it from a copy, and check the disk`,
    { path, damaged: true },
  );
}

function headOf(bytes: Uint8Array): Uint8Array {
  return utf8(`weighhouse-document 1 ${hash('sha256', bytes, 'hex')}\n`);
}
