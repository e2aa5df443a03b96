/**
 * What the keys do. ECDSA P-256 signs statements (release, root, owner and personal keys:
 * the one curve that model_signing, sigstore-js and cosign all accept), Ed25519 signs the
 * log's checkpoints and the registry's tokens.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import type { JWK } from 'jose';
import { CodedError } from '../core/error.ts';
import { parseSpki, type Spki } from '../core/statement/public-key.ts';

/** Signs statements. */
export interface StatementSigner {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Spki;
  /** ECDSA P-256 with SHA-256 over `data`, ASN.1 DER. */
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/** A new ECDSA P-256 key. */
export function newStatementKey(): JWK {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    format: 'jwk',
  }) as JWK;
}

/** A new Ed25519 key. */
export function newEd25519Key(): JWK {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as JWK;
}

/** The signer of an ECDSA P-256 key. Throws `bad-key`; `what` names the file. */
export function statementSigner(jwk: JWK, what: string): StatementSigner {
  const key = importPrivate(jwk, what);
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new CodedError(
      'bad-key',
      `${what} is no ECDSA P-256 key, which statements are signed with`,
    );
  }
  return {
    spki: parseSpki(
      new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' })),
      what,
    ),
    sign: (data) =>
      new Promise((resolve, reject) => {
        sign('sha256', data, { key, dsaEncoding: 'der' }, (error, signature) => {
          if (error) reject(error);
          else resolve(new Uint8Array(signature));
        });
      }),
  };
}

/** The 32-byte seed of an Ed25519 key, as signed notes use it. Throws `bad-key`. */
export function ed25519Seed(jwk: JWK, what: string): Uint8Array {
  const key = importPrivate(jwk, what);
  if (key.asymmetricKeyType !== 'ed25519' || jwk.d === undefined) {
    throw new CodedError('bad-key', `${what} is no Ed25519 key, which the log signs with`);
  }
  return new Uint8Array(Buffer.from(jwk.d, 'base64url'));
}

/** The public half of a key, private or public. */
export function publicJwk(jwk: JWK): JWK {
  if (jwk.d === undefined) return jwk;
  return createPublicKey(importPrivate(jwk, 'the key')).export({ format: 'jwk' }) as JWK;
}

function importPrivate(jwk: JWK, what: string): KeyObject {
  try {
    return createPrivateKey({ key: jwk as Record<string, string>, format: 'jwk' });
  } catch (error) {
    throw new CodedError(
      'bad-key',
      `${what} holds no private key that can be used`,
      {},
      { cause: error },
    );
  }
}
