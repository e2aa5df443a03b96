/** The two envelopes of a release: each is the one that its log entry names, and says the same. */
import { type Digest, digestOf } from '../digest.ts';
import type { Host } from '../host.ts';
import { formatCanonical } from '../json.ts';
import type { EntryOf } from '../log/entry.ts';
import type { Manifest } from '../release/manifest.ts';
import { formatReleaseName, type ReleaseName } from '../release/name.ts';
import { type Bundle, parseBundle } from '../statement/bundle.ts';
import { type Envelope, envelopeToJson, openEnvelope, parseEnvelope } from '../statement/dsse.ts';
import { statementPayload } from '../statement/in-toto.ts';
import { openModelSignature } from '../statement/model-signature.ts';
import { keyHint } from '../statement/public-key.ts';
import { parseReleaseStatement } from '../statement/release.ts';
import { logKeysAt, otherReleaseKeys, releaseKeysAt } from '../trust/periods.ts';
import type { ReleasePeriod } from '../trust/root.ts';
import type { TrustRoot } from '../trust/succession.ts';
import { type Refusal, refusal, type Verdict } from '../verdict.ts';

/** `release.dsse`: the registry's own word over D and ROOT. */
export async function checkStatement(
  host: Host,
  root: TrustRoot,
  { entry, index }: { entry: EntryOf<'release'>; index: number },
  bytes: Uint8Array,
): Promise<Verdict<object>> {
  const found = digestOf(host, bytes);
  if (found !== entry.release_dsse)
    return anotherEnvelope('release.dsse', entry.release_dsse, found);
  const envelope = parseEnvelope(bytes, 'release.dsse');
  const opened = await openByRegistry(host, root, envelope, index);
  if (!opened.ok) return opened;
  const statement = parseReleaseStatement(statementPayload(envelope, 'release.dsse'));
  const agrees =
    statement.origin === root.origin &&
    formatReleaseName(statement.release) === entry.release &&
    statement.manifest === entry.digest &&
    statement.root === entry.root;
  return agrees
    ? { ok: true }
    : refusal('untrusted', 'release.dsse does not say what the log’s release entry says');
}

/** `model.sig`: an OpenSSF model signature over exactly the manifest's files. */
export async function checkModelSignature(
  host: Host,
  root: TrustRoot,
  known: { entry: EntryOf<'release'>; index: number; release: ReleaseName; manifest: Manifest },
  bytes: Uint8Array,
): Promise<Verdict<{ readonly bundle: Bundle }>> {
  const { entry, index, release, manifest } = known;
  const bundle = parseBundle(bytes);
  const found = digestOf(host, formatCanonical(envelopeToJson(bundle.envelope)));
  if (found !== entry.model_sig) return anotherEnvelope('model.sig', entry.model_sig, found);
  const spki = releaseKeysAt(root, index).find((key) => keyHint(host, key) === bundle.hint);
  if (spki === undefined) {
    return refusal(
      'untrusted',
      `model.sig names a key that did not sign releases at entry ${index}`,
    );
  }
  const logKeys = logKeysAt(root, bundle.proof.size);
  const opened = await openModelSignature(host, bundle, {
    release,
    spki,
    origin: root.origin,
    logKeys,
  });
  if (!opened.ok) return opened;
  const { statement } = opened;
  if (statement.root !== entry.root) {
    return refusal('untrusted', 'model.sig covers other files than the log’s release entry names');
  }
  const sameFiles =
    statement.resources.length === manifest.files.length &&
    statement.resources.every(({ path, sha256 }, i) => {
      const file = manifest.files[i]!;
      return file.path === path && file.sha256 === sha256;
    });
  return sameFiles
    ? { ok: true, bundle }
    : refusal('untrusted', 'model.sig covers other files than the manifest names');
}

/** Signed by a release key of that place; of a key of another place it is said which that is. */
async function openByRegistry(
  host: Host,
  root: TrustRoot,
  envelope: Envelope,
  index: number,
): Promise<Verdict<object>> {
  for (const spki of releaseKeysAt(root, index)) {
    if ((await openEnvelope(host, envelope, spki)).ok) return { ok: true };
  }
  for (const period of otherReleaseKeys(root, index)) {
    if (!(await openEnvelope(host, envelope, period.spki)).ok) continue;
    return refusal('signature-invalid', outOfPeriod(root, period, index), {
      index,
      from: period.from,
      to: period.to,
      version: root.version,
    });
  }
  return refusal(
    'signature-invalid',
    'release.dsse is not signed by a key that the trust root names for releases',
  );
}

function outOfPeriod(root: TrustRoot, { from, to }: ReleasePeriod, index: number): string {
  const version = `version ${root.version} of the trust root`;
  return to !== undefined && index >= to
    ? `entry ${index} is signed with a release key that ${version} ends at entry ${to}: do not use the release; its registry may have published it again`
    : `entry ${index} is signed with a release key that ${version} begins at entry ${from}`;
}

function anotherEnvelope(what: string, expected: Digest, found: Digest): Refusal {
  return refusal(
    'digest-mismatch',
    `${what} is not the envelope that the log’s release entry names`,
    { expected, found },
  );
}
