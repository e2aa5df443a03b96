/** Checking signatures in bulk: what a thread does of an audit besides hashing. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';

/** One question: did `spki` sign `data`? As `Host.verifyP256`. */
export interface SignatureCheck {
  readonly spki: Uint8Array;
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
}

/** Keys that are kept parsed: parsing one takes a third as long as using it. */
const MAX_KEYS = 256;
const known = new Map<string, KeyObject | undefined>();

export function checkSignatures(checks: readonly SignatureCheck[]): boolean[] {
  return checks.map(({ spki, data, signature }) => {
    const key = keyOf(spki);
    return key !== undefined && verify('sha256', data, { key, dsaEncoding: 'der' }, signature);
  });
}

/** The key in `spki`; undefined when it is not an ECDSA P-256 key in DER. */
export function keyOf(spki: Uint8Array): KeyObject | undefined {
  const name = Buffer.from(spki.buffer, spki.byteOffset, spki.length).toString('latin1');
  if (known.has(name)) return known.get(name);
  if (known.size >= MAX_KEYS) known.clear();
  const key = parseKey(spki);
  known.set(name, key);
  return key;
}

function parseKey(spki: Uint8Array): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
}
