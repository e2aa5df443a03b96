/**
 * The core's host in a browser: @noble/hashes where a hash must be there at once, Web Crypto for
 * signatures. Web Crypto is only given to pages that came over https, or from this machine.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import type { Host } from '../../core/host.ts';
import { rawSignature } from './der.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256' };
const SHA256 = { name: 'ECDSA', hash: 'SHA-256' };

/** `SubtleCrypto`, as Node has it too. */
type Subtle = typeof globalThis.crypto.subtle;

/** The host over a browser's `crypto.subtle`. */
export function browserHost(subtle: Subtle): Host {
  return {
    sha256: (data) => sha256(data),
    async verifyP256(spki, data, signature) {
      const raw = rawSignature(signature);
      if (raw === undefined) return false;
      const key = await readKey(subtle, spki);
      return key !== undefined && subtle.verify(SHA256, key, own(raw), own(data));
    },
  };
}

/** The key in `spki`; undefined when a browser sees no ECDSA P-256 key in it. */
async function readKey(subtle: Subtle, spki: Uint8Array) {
  try {
    return await subtle.importKey('spki', own(spki), P256, false, ['verify']);
  } catch {
    return undefined;
  }
}

/** Nothing here lies in shared memory, which Web Crypto does not take. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
