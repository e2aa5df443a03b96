/** sigstore-js, as its users have it: it knows what our commands export, and nothing else of ours. */
import { createPublicKey } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { PublicKeyDetails, TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import type { Sandbox } from './sandbox.ts';

/** What is read of a bundle. */
export interface SerializedBundle {
  readonly verificationMaterial: { readonly publicKey: { readonly hint: string } };
  readonly dsseEnvelope: SerializedEnvelope;
}

/** A DSSE envelope as JSON. */
export interface SerializedEnvelope {
  readonly payload: string;
}

/** A verifier of bundles that the log holds: from the exported trust root and release key. */
export async function sigstoreVerifier(
  sandbox: Sandbox,
  { verificationMaterial }: SerializedBundle,
): Promise<(bundle: unknown) => void> {
  const pem = await exported(sandbox, 'pem');
  return verifierOf(sandbox, verificationMaterial.publicKey.hint, pem, 1);
}

/** A verifier of envelopes by one key, which are not in the log themselves. */
export async function sigstoreEnvelopeVerifier(
  sandbox: Sandbox,
  pem: string,
): Promise<(envelope: unknown) => void> {
  const hint = 'the key';
  const verify = await verifierOf(sandbox, hint, pem, 0);
  const mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  const verificationMaterial = { publicKey: { hint }, tlogEntries: [] };
  return (dsseEnvelope) => verify({ mediaType, verificationMaterial, dsseEnvelope });
}

/** The release key, or the trust root in Sigstore's form. */
export async function exported(sandbox: Sandbox, format: string): Promise<string> {
  return (await sandbox.run('trust', 'export', '--format', format)).stdout;
}

/** The same with one bit of what was signed turned. */
export function forged<Signed extends SerializedEnvelope>(envelope: Signed): Signed {
  const payload = Buffer.from(envelope.payload, 'base64');
  payload[payload.length - 3]! ^= 1;
  return { ...envelope, payload: payload.toString('base64') };
}

async function verifierOf(sandbox: Sandbox, hint: string, pem: string, tlogThreshold: number) {
  const root = JSON.parse(await exported(sandbox, 'sigstore-trusted-root'));
  const material = toTrustMaterial(TrustedRoot.fromJSON(root), {
    [hint]: {
      rawBytes: createPublicKey(pem).export({ format: 'der', type: 'spki' }),
      keyDetails: PublicKeyDetails.PKIX_ECDSA_P256_SHA_256,
    },
  });
  const thresholds = { tlogThreshold, ctlogThreshold: 0, timestampThreshold: 0 };
  const verifier = new Verifier(material, thresholds);
  return (bundle: unknown): void => {
    verifier.verify(toSignedEntity(bundleFromJSON(bundle)));
  };
}
