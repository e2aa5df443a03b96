/** What the release entry names: the release, its manifest and the signatures over it. */
import { accept } from '../../client/accept.ts';
import { headsIn } from '../../client/release.ts';
import { openView, type SignedHead } from '../../client/view.ts';
import type { Digest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import type { ReadTile } from '../../core/log/tile-reader.ts';
import type { Manifest } from '../../core/release/manifest.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../../core/release/name.ts';
import type { TrustRoot } from '../../core/trust/succession.ts';
import {
  checkManifest,
  checkNamed,
  checkRecordPlace,
  type ReleaseDocuments,
} from '../../core/verify/release.ts';
import { checkModelSignature, checkStatement } from '../../core/verify/signatures.ts';
import type { Found } from './found.ts';
import type { LoggedRelease } from './log.ts';
import type { PublicReader } from './reader.ts';
import type { Finding } from './step.ts';

/** What the page is about. */
export interface AskedRelease {
  readonly release: ReleaseName;
  /** The digest that the page shows, where it shows one. */
  readonly digest?: Digest | undefined;
}

/** Does the entry name this release, and does the registry's signed statement say the same? */
export async function checkEntry(
  { host }: PublicReader,
  root: TrustRoot,
  { release, digest }: AskedRelease,
  { entry, index }: LoggedRelease,
  statement: Uint8Array,
): Promise<Finding> {
  accept(checkNamed({ ...release, at: release }, parseReleaseName(entry.release), entry.digest));
  if (digest !== undefined && digest !== entry.digest) {
    throw new CodedError(
      'digest-mismatch',
      `this page shows the digest ${digest}; the log names ${entry.digest}`,
      { expected: entry.digest, found: digest },
    );
  }
  accept(await checkStatement(host, root, { entry, index }, statement));
  return {
    said: `The entry names ${formatReleaseName(release)}, and release.dsse says the same under the registry’s signature.`,
    by: 'the registry’s release key',
    facts: [
      { label: 'Digest', value: entry.digest, as: 'digest' },
      { label: 'Root of the files', value: entry.root, as: 'digest' },
      { label: 'Logged', value: entry.time, as: 'instant' },
    ],
  };
}

/** Is the manifest the one whose digest stands in the log? */
export function openManifest(
  { host }: PublicReader,
  root: TrustRoot,
  { entry }: LoggedRelease,
  bytes: Uint8Array,
): Found<Manifest> {
  const { manifest } = accept(checkManifest(host, root, entry, bytes));
  const { files, size } = manifest;
  return {
    value: manifest,
    finding: {
      said: 'The manifest hashes to the digest in the log.',
      by: 'the log entry',
      facts: [
        { label: 'Digest', value: entry.digest, as: 'digest' },
        { label: 'Files', value: `${files.length}, of ${size} bytes together` },
      ],
    },
  };
}

/** The OpenSSF model signature over the manifest's files, and its record in the very next entry. */
export async function checkSignature(
  { host }: PublicReader,
  root: TrustRoot,
  release: LoggedRelease & { readonly manifest: Manifest },
  documents: ReleaseDocuments,
  log: { readonly head: SignedHead; readonly read: ReadTile },
): Promise<Finding> {
  const { entry, index, manifest } = release;
  const known = { entry, index, release: parseReleaseName(entry.release), manifest };
  const signed = accept(await checkModelSignature(host, root, known, documents.modelSig));
  const { bundle } = signed;
  accept(checkRecordPlace(host, root, { entry, index }, bundle, documents.recordProof));
  await openView(host, [log.head, ...headsIn(documents)], undefined, log.read);
  return {
    said: `model.sig signs the ${manifest.files.length} files that the manifest names, and the log records the signature right behind the release.`,
    by: 'the registry’s release key',
    facts: [
      { label: 'Key', value: bundle.hint, as: 'digest' },
      { label: 'Format', value: 'OpenSSF Model Signing 1.0' },
      { label: 'Record', value: `entry ${index + 1}` },
    ],
  };
}
