/** ECDSA P-256 keys for tests: a new one each time, for nothing may depend on which. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { parseSpki, type Spki } from '../../src/core/statement/public-key.ts';

export interface MadeKey {
  readonly spki: Spki;
  /** As OpenSSL writes it. */
  readonly pem: string;
  /** ECDSA P-256 with SHA-256, ASN.1 DER. */
  sign(bytes: Uint8Array): Uint8Array;
}

export function makeKey(): MadeKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    spki: parseSpki(new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))),
    pem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    sign: (bytes) => new Uint8Array(sign('sha256', bytes, { key: privateKey, dsaEncoding: 'der' })),
  };
}
