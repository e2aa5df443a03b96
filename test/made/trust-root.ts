/** Trust roots for tests. */

import { keyId } from '../../src/core/statement/public-key.ts';
import { formatRoot, type RootDocument, rootToSign } from '../../src/core/trust/root.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { makeLogKey, ORIGIN } from './model-signature.ts';
import { type MadeKey, makeKey } from './p256.ts';

/** The JWK of RFC 8037, appendix A.2. */
export const TOKEN_KEY = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
} as const;

/** Version 1 with these root keys; `changes` on top. */
export function makeRootDocument(
  keys: readonly MadeKey[],
  changes: Partial<RootDocument> = {},
): RootDocument {
  return {
    version: 1,
    origin: ORIGIN,
    issued: '2026-01-31T12:00:00.000Z',
    expires: '2027-01-31T12:00:00.000Z',
    threshold: 1,
    keys: keys.map(({ spki }) => spki),
    log: [{ key: publicLogKey(7), from: 0 }],
    release: [{ spki: makeKey().spki, from: 0 }],
    token: [TOKEN_KEY],
    maxAge: 3600,
    ...changes,
  };
}

/** The public half of `makeLogKey(seed)`. */
export function publicLogKey(seed: number) {
  const { name, id, type, publicKey } = makeLogKey(seed);
  return { name, id, type, publicKey };
}

/** The bytes of root.json, signed by these keys. */
export function signRoot(document: RootDocument, signers: readonly MadeKey[]): Uint8Array {
  const bytes = rootToSign(nodeHost, document);
  const signatures = signers.map((signer) => ({
    keyId: keyId(nodeHost, signer.spki),
    signature: signer.sign(bytes),
  }));
  return formatRoot(nodeHost, { document, signatures });
}
