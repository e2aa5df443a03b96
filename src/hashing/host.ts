/** The core's host in Node: node:crypto, which takes 1.3 µs for a small hash where Web Crypto takes 15. */
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import type { Host } from '../core/host.ts';

export const nodeHost: Host = {
  sha256(data) {
    return new Uint8Array(hash('sha256', data, 'buffer'));
  },
  async verifyP256(spki, data, signature) {
    const key = p256Key(spki);
    return key !== undefined && verify('sha256', data, { key, dsaEncoding: 'der' }, signature);
  },
};

/** Keys that are kept in OpenSSL's form: making it takes about as long as a verification. */
const MAX_KEYS = 256;
const keys = new Map<string, KeyObject>();

/** The key in `spki`, or undefined when it is not an ECDSA P-256 key in DER. */
function p256Key(spki: Uint8Array): KeyObject | undefined {
  const name = Buffer.from(spki).toString('latin1');
  const known = keys.get(name);
  if (known !== undefined) return known;
  if (keys.size >= MAX_KEYS) keys.clear();
  const key = readKey(spki);
  if (key !== undefined) keys.set(name, key);
  return key;
}

function readKey(spki: Uint8Array): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
}
