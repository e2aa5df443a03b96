/**
 * The names that repositories give to content: SHA-256 of the bytes, as OCI and Git LFS do, or
 * the object name of a Git blob, which is the SHA-1 (in newer repositories the SHA-256) of a
 * header and the bytes (gitformat-pack(5), "git hash-object"):
 *
 *     blob 12\0hello world\n
 */
import { createHash, type Hash } from 'node:crypto';

export interface ContentName {
  readonly form: 'sha256' | 'git';
  /** 64 lower-case hex digits, or 40 of Git. */
  readonly hex: string;
}

/** A hash that has taken everything before the bytes; its hex digest must be the name's. */
export function hashFor({ form, hex }: ContentName, size: number): Hash {
  if (form === 'sha256') return createHash('sha256');
  const hash = createHash(hex.length === 40 ? 'sha1' : 'sha256');
  return hash.update(`blob ${size}\0`);
}
