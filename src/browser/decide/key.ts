/**
 * A person's key in their browser: ECDSA P-256, made here, and never given out, to this page or to
 * anybody. With the browser's storage it is gone; then its owner enrols another.
 */
import { type Signer, signingKey } from '../../client/decide/desk.ts';
import type { Origin } from '../../core/log/checkpoint.ts';
import { type Enrolment, enrolmentToSign } from '../../core/release/enrolment.ts';
import { type PolicyKey, policyKey } from '../../core/release/policy-key.ts';
import { parseSpki } from '../../core/statement/public-key.ts';
import { derSignature } from '../check/der.ts';
import type { SignerStore } from './store.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256' };
const SHA256 = { name: 'ECDSA', hash: 'SHA-256' };

/** The key for a registry; undefined when this browser has none. */
export async function findKey(store: SignerStore, origin: Origin): Promise<Signer | undefined> {
  const pair = await store.key(origin);
  return pair && signerOf(pair);
}

/** Makes the key for a registry, unless another page of ours has made it meanwhile. */
export async function makeKey(store: SignerStore, origin: Origin): Promise<Signer> {
  const pair = await crypto.subtle.generateKey(P256, false, ['sign', 'verify']);
  // Asked for, not relied upon: a browser may still forget.
  await navigator.storage?.persist?.();
  const isKept = await store.addKey(origin, pair);
  return signerOf(isKept ? pair : (await store.key(origin))!);
}

/** What enrols the key, to be put among the keys of a person in a policy. */
export async function enrol(signer: Signer, enrolment: Enrolment): Promise<PolicyKey> {
  const key = signingKey(signer);
  return policyKey(key, await signer.sign(enrolmentToSign(enrolment, key)));
}

async function signerOf({ publicKey, privateKey }: CryptoKeyPair): Promise<Signer> {
  const spki = parseSpki(new Uint8Array(await crypto.subtle.exportKey('spki', publicKey)));
  return {
    spki,
    async sign(bytes) {
      const signed = await crypto.subtle.sign(SHA256, privateKey, bytes as Uint8Array<ArrayBuffer>);
      return derSignature(new Uint8Array(signed));
    },
  };
}
