import { createPublicKey } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { bundleFromJSON } from '@sigstore/bundle';
import { PublicKeyDetails, TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { parseTlogPolicy } from '../../../src/core/log/tlog-policy.ts';
import { formatVerifierKey, parseVerifierKey, signingKey } from '../../../src/core/note/key.ts';
import { type Bundle, formatBundle } from '../../../src/core/statement/bundle.ts';
import { keyHint, parsePem } from '../../../src/core/statement/public-key.ts';
import { formatExport } from '../../../src/core/trust/export.ts';
import type { RootDocument } from '../../../src/core/trust/root.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { makeLogKey, makeModelSignature } from '../../made/model-signature.ts';
import { makeKey } from '../../made/p256.ts';
import { makeRootDocument, publicLogKey } from '../../made/trust-root.ts';

const made = makeModelSignature({ logKey: makeLogKey(7) });
const root = makeRootDocument([makeKey()], { release: [{ spki: made.key.spki, from: 0 }] });
const rotated = makeRootDocument([makeKey()], {
  log: [
    { key: publicLogKey(7), from: 0, end: { size: 9, root: digestOf(nodeHost, utf8('log')) } },
    { key: publicLogKey(8), from: 9 },
  ],
  release: [
    { spki: makeKey().spki, from: 0, to: 9 },
    { spki: made.key.spki, from: 9 },
  ],
});

/** As a user of sigstore-js would: from the two files, and nothing of ours. */
function sigstoreVerify(bundle: Bundle, trust: RootDocument): void {
  const trustedRoot = JSON.parse(formatExport(nodeHost, trust, 'sigstore-trusted-root'));
  const pem = formatExport(nodeHost, trust, 'pem');
  const key = createPublicKey(pem).export({ format: 'der', type: 'spki' });
  const material = toTrustMaterial(TrustedRoot.fromJSON(trustedRoot), {
    [keyHint(nodeHost, made.key.spki)]: {
      rawBytes: key,
      keyDetails: PublicKeyDetails.PKIX_ECDSA_P256_SHA_256,
    },
  });
  const thresholds = { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 0 };
  const file = JSON.parse(parseUtf8(formatBundle(bundle)));
  new Verifier(material, thresholds).verify(toSignedEntity(bundleFromJSON(file)));
}

describe('what other verifiers get', () => {
  test('sigstore-js accepts a model signature with the exported trust root', () => {
    expect(() => sigstoreVerify(made.bundle, root)).not.toThrow();
  });

  test('sigstore-js accepts one whose checkpoint a former log key signed', () => {
    expect(() => sigstoreVerify(made.bundle, rotated)).not.toThrow();
  });

  test('sigstore-js refuses a checkpoint of a log that the root does not know', () => {
    const stranger = makeModelSignature({ key: made.key, logKey: makeLogKey(9) });
    expect(() => sigstoreVerify(stranger.bundle, root)).toThrow();
  });

  test('sigstore-js refuses another payload, signature, proof or record', () => {
    const { envelope, proof } = made.bundle;
    const other = makeModelSignature({ release: 'acme/other@v1', key: made.key }).bundle;
    const forged: Bundle[] = [
      { ...made.bundle, envelope: { ...envelope, payload: other.envelope.payload } },
      { ...made.bundle, envelope: { ...envelope, signature: other.envelope.signature } },
      { ...made.bundle, proof: { ...proof, hashes: proof.hashes.toReversed() } },
      { ...made.bundle, proof: { ...proof, record: other.proof.record } },
      { ...made.bundle, proof: other.proof },
    ];
    for (const bundle of forged) expect(() => sigstoreVerify(bundle, root)).toThrow();
  });

  test('the PEM is of the present release key', () => {
    expect(parsePem(formatExport(nodeHost, rotated, 'pem'))).toEqual(made.key.spki);
  });

  test('the vkey is of the present log key', () => {
    const text = formatExport(nodeHost, rotated, 'vkey');
    expect(parseVerifierKey(nodeHost, text.trimEnd())).toEqual(publicLogKey(8));
  });

  test('the tlog policy names the log, and the witnesses when there are any', () => {
    const vkey = formatExport(nodeHost, root, 'vkey');
    expect(formatExport(nodeHost, root, 'tlog-policy')).toBe(`log ${vkey}quorum none\n`);
    const witness = formatVerifierKey(signingKey(nodeHost, 'w.example', new Uint8Array(32), 4));
    const witnessPolicy = `witness w ${witness} https://w.example/\nquorum w\n`;
    const exported = formatExport(nodeHost, { ...root, witnessPolicy }, 'tlog-policy');
    expect(parseTlogPolicy(nodeHost, utf8(exported))).toMatchObject({
      logs: [{ key: publicLogKey(7) }],
      witnesses: [{ name: 'w', url: 'https://w.example/' }],
      quorum: 'w',
    });
  });
});
