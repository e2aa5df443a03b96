/**
 * Are these documents the release that was asked for, published by this registry, in this log?
 *
 * Every link is followed once, in the order in which a reader would doubt them, and compared
 * rather than believed: the entry against its proof, the manifest against the entry, both
 * envelopes against the entry and the manifest, the record against the envelope and its place
 * beside the entry.
 *
 * Malformed documents throw; what is well formed and wrong is a refusal.
 */
import { formatHex } from '../bytes.ts';
import { type Digest, digestOf } from '../digest.ts';
import type { Host } from '../host.ts';
import type { Checkpoint } from '../log/checkpoint.ts';
import type { EntryOf } from '../log/entry.ts';
import { leafHash } from '../log/merkle.ts';
import { parseTlogProof } from '../log/tlog-proof.ts';
import { type Manifest, parseManifest } from '../release/manifest.ts';
import {
  formatModel,
  formatReference,
  formatReleaseName,
  parseReleaseName,
  type Reference,
  type ReleaseName,
  versionKey,
} from '../release/name.ts';
import type { Bundle } from '../statement/bundle.ts';
import { formatHashedRekord } from '../statement/hashedrekord.ts';
import type { TrustRoot } from '../trust/succession.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { openLogged, openProof } from './logged.ts';
import { checkModelSignature, checkStatement } from './signatures.ts';

/** A release's documents, as they were served: nothing in them is believed yet. */
export interface ReleaseDocuments {
  readonly manifest: Uint8Array;
  readonly modelSig: Uint8Array;
  readonly releaseDsse: Uint8Array;
  /** The exact leaf. */
  readonly entry: Uint8Array;
  /** `release.tlog-proof` and `model-sig.tlog-proof`. */
  readonly releaseProof: Uint8Array;
  readonly recordProof: Uint8Array;
}

/** A release all of whose documents fit. Its files still have to be compared with the manifest. */
export interface VerifiedRelease {
  readonly release: ReleaseName;
  readonly digest: Digest;
  /** Index of the release entry. */
  readonly index: number;
  /** The entry's time, as the registry set it. */
  readonly time: string;
  readonly manifest: Manifest;
  readonly entry: EntryOf<'release'>;
  /** The tree that the release was shown to be in. */
  readonly checkpoint: Checkpoint;
  /** What was checked, in order, one sentence each. */
  readonly checks: readonly string[];
}

/** Is this the release that `asked` names, published by the registry of `root`? */
export async function verifyRelease(
  host: Host,
  root: TrustRoot,
  asked: Reference,
  documents: ReleaseDocuments,
): Promise<Verdict<VerifiedRelease>> {
  const logged = openLogged(host, root, documents.entry, documents.releaseProof, 'release');
  if (!logged.ok) return logged;
  const { entry, index, checkpoint } = logged;
  const release = parseReleaseName(entry.release);
  const named = checkNamed(asked, release, entry.digest);
  if (!named.ok) return named;

  const described = checkManifest(host, root, entry, documents.manifest);
  if (!described.ok) return described;
  const { manifest } = described;

  const stated = await checkStatement(host, root, { entry, index }, documents.releaseDsse);
  if (!stated.ok) return stated;
  const signed = await checkModelSignature(
    host,
    root,
    { entry, index, release, manifest },
    documents.modelSig,
  );
  if (!signed.ok) return signed;
  const recorded = checkRecordPlace(
    host,
    root,
    { entry, index },
    signed.bundle,
    documents.recordProof,
  );
  if (!recorded.ok) return recorded;

  return {
    ok: true,
    release,
    digest: entry.digest,
    index,
    time: entry.time,
    manifest,
    entry,
    checkpoint,
    checks: [
      `the log ${root.origin} holds the release as entry ${index} of ${checkpoint.size}`,
      ...(root.witnessPolicy === undefined ? [] : ['the witness quorum cosigned that tree']),
      `the manifest has the digest ${entry.digest} and names ${formatReleaseName(release)}`,
      'the release statement is signed by the registry’s release key',
      `the model signature covers the manifest’s ${manifest.files.length} files`,
      `the signature is recorded as entry ${index + 1}`,
    ],
  };
}

/** Does the log’s entry name what was asked for? */
export function checkNamed(
  asked: Reference,
  release: ReleaseName,
  digest: Digest,
): Verdict<object> {
  const same =
    formatModel(asked) === formatModel(release) &&
    (asked.at === undefined ||
      ('version' in asked.at
        ? versionKey(asked.at.version) === versionKey(release.version)
        : asked.at.digest === digest));
  if (same) return { ok: true };
  return refusal(
    'untrusted',
    `${formatReleaseName(release)} was served for ${formatReference(asked)}`,
    {
      asked: formatReference(asked),
      served: formatReleaseName(release),
      digest,
    },
  );
}

/** Is this the manifest whose digest the entry names, and of the same release? */
export function checkManifest(
  host: Host,
  root: TrustRoot,
  entry: EntryOf<'release'>,
  bytes: Uint8Array,
): Verdict<{ readonly manifest: Manifest }> {
  const found = digestOf(host, bytes);
  if (found !== entry.digest) {
    return refusal(
      'digest-mismatch',
      `the manifest has the digest ${found}; the log names ${entry.digest}`,
      {
        expected: entry.digest,
        found,
      },
    );
  }
  const manifest = parseManifest(bytes);
  if (manifest.origin !== root.origin || manifest.release !== entry.release) {
    return refusal(
      'untrusted',
      `the manifest is that of ${manifest.release} of ${manifest.origin}`,
    );
  }
  return { ok: true, manifest };
}

/** The signature's record is the very next leaf, and the one that the entry names. */
export function checkRecordPlace(
  host: Host,
  root: TrustRoot,
  { entry, index }: { entry: EntryOf<'release'>; index: number },
  bundle: Bundle,
  proofBytes: Uint8Array,
): Verdict<object> {
  const leaf = leafHash(host, formatHashedRekord(bundle.proof.record));
  if (formatHex(leaf) !== entry.record) {
    return refusal(
      'proof-invalid',
      'the log’s release entry names another record than that of model.sig',
    );
  }
  const proof = parseTlogProof(proofBytes);
  if (proof.index !== index + 1 || bundle.proof.index !== index + 1) {
    return refusal(
      'proof-invalid',
      `the record of model.sig is not the entry after the release, ${index + 1}`,
    );
  }
  return openProof(host, root, proof, leaf);
}
