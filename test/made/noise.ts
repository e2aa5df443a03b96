/** Bytes that look random and are the same for the same seed. */
import { createCipheriv } from 'node:crypto';

export function noise(seed: number, length: number): Uint8Array {
  const key = Buffer.alloc(16, seed);
  return new Uint8Array(createCipheriv('aes-128-ctr', key, key).update(Buffer.alloc(length)));
}
