/**
 * `signatures/<ns>/<name>/<version>`: `model.sig` as it was first shown. Nothing that the log has
 * names those bytes, for the checkpoint in them is any that covered the release; so their digest
 * stands before them:
 *
 *     sha256:9f86d0…
 *     {"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json", …
 */
import { concat, utf8 } from '../../core/bytes.ts';
import { digestOf } from '../../core/digest.ts';
import type { Host } from '../../core/host.ts';
import { MAX_DOCUMENT_BYTES } from '../../core/release/documents.ts';

type Hashing = Pick<Host, 'sha256'>;

/** The line with the digest: `sha256:`, 64 hex digits, a line feed. */
const LINE_BYTES = 72;

/** Bytes of the object. */
export const MAX_KEPT_BYTES = LINE_BYTES + MAX_DOCUMENT_BYTES;

/** The object that keeps `signature`. */
export function formatKept(host: Hashing, signature: Uint8Array): Uint8Array {
  return concat(lineOf(host, signature), signature);
}

/** The signature in the object; undefined when it is not the one that was kept. */
export function parseKept(host: Hashing, bytes: Uint8Array): Uint8Array | undefined {
  const signature = bytes.subarray(LINE_BYTES);
  const line = lineOf(host, signature);
  return line.every((byte, i) => byte === bytes[i]) ? signature : undefined;
}

function lineOf(host: Hashing, signature: Uint8Array): Uint8Array {
  return utf8(`${digestOf(host, signature)}\n`);
}
