/**
 * What the core needs of the program that hosts it. The core is pure: bytes in, verdicts
 * out. The two things it cannot do by itself, or not fast enough, come in through here:
 * node:crypto in Node (`src/hashing/host.ts`), @noble/hashes and Web Crypto in a browser.
 */
export interface Host {
  /** SHA-256 (FIPS 180-4) of `data`: 32 bytes, a fresh array each time. */
  sha256(data: Uint8Array): Uint8Array;

  /**
   * Does `signature` (ASN.1 DER, ECDSA P-256 with SHA-256) by the key `spki` (DER
   * SubjectPublicKeyInfo) fit `data`? Resolves to false for anything malformed.
   */
  verifyP256(spki: Uint8Array, data: Uint8Array, signature: Uint8Array): Promise<boolean>;
}
