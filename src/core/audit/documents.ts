/**
 * The documents that entries name by digest: are they there, do they say what the entry says,
 * and did those sign who had to? One function a kind of entry. Malformed documents throw.
 */
import { digestOf } from '../digest.ts';
import type { Host } from '../host.ts';
import type { EntryOf } from '../log/entry.ts';
import { ADVISORY_PAYLOAD_TYPE, advisingRole, parseAdvisory } from '../release/advisory.ts';
import { isEntryOf, openAnnouncement } from '../release/announcement.ts';
import type { Manifest } from '../release/manifest.ts';
import { parseReleaseName } from '../release/name.ts';
import type { Policy } from '../release/policy.ts';
import { personWhoSigned } from '../release/signed-by.ts';
import { openVoid } from '../release/void.ts';
import { parseEnvelope } from '../statement/dsse.ts';
import { parseRoot } from '../trust/root.ts';
import type { TrustRoot } from '../trust/succession.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { type ReleaseDocuments, type VerifiedRelease, verifyRelease } from '../verify/release.ts';
import { anotherDigest, type JudgedPlace, type Place, speakersAt } from './place.ts';

/** The release as a client would verify it, at its place. */
export async function checkRelease(
  host: Host,
  { root, index }: Place,
  entry: EntryOf<'release'>,
  documents: ReleaseDocuments,
): Promise<Verdict<{ readonly verified: VerifiedRelease }>> {
  const release = parseReleaseName(entry.release);
  const verified = await verifyRelease(host, root, { ...release, at: release }, documents);
  if (!verified.ok) return verified;
  if (verified.index === index) return { ok: true, verified };
  return refusal(
    'proof-invalid',
    `the proof of ${entry.release} is one of entry ${verified.index}`,
  );
}

/** Files that carry code are published only where the policy names their format. */
export function checkCode({ files, executes = [] }: Manifest, policy: Policy): Verdict<object> {
  const running = new Set(executes);
  const found = files.find(
    ({ path, format }) => running.has(path) && !policy.formats.allow.includes(format),
  );
  if (found === undefined) return { ok: true };
  return refusal(
    'code-carrying-format',
    `${found.path} may run code, and the policy does not allow "${found.format}"`,
  );
}

/** The signed advisory says what the entry says, and its signer may say it. */
export async function checkAdvisory(
  host: Host,
  place: JudgedPlace,
  entry: EntryOf<'advisory'>,
  bytes: Uint8Array,
): Promise<Verdict<object>> {
  const found = digestOf(host, bytes);
  if (found !== entry.statement) return anotherDigest('the advisory', entry.statement, found);
  const envelope = parseEnvelope(bytes, 'the advisory');
  if (envelope.payloadType !== ADVISORY_PAYLOAD_TYPE) {
    return refusal('untrusted', `the advisory has not the type ${ADVISORY_PAYLOAD_TYPE}`);
  }
  const said = parseAdvisory(envelope.payload);
  const agrees =
    said.origin === place.root.origin &&
    said.release === entry.release &&
    said.digest === entry.digest &&
    said.advisory === entry.advisory &&
    said.summary === entry.summary;
  if (!agrees) return refusal('untrusted', 'the signed advisory does not say what its entry says');
  const role = advisingRole(entry.advisory);
  const speakers = speakersAt(place, entry.time);
  if ((await personWhoSigned(host, speakers, role, envelope)) !== undefined) return { ok: true };
  return refusal(
    'signature-invalid',
    `the advisory is not signed by ${role ? `a ${role}` : 'anybody'} of ${speakers.policy.namespace}`,
  );
}

/** The signed announcement says what the entry says, and a release manager said it. */
export async function checkAnnouncement(
  host: Host,
  place: JudgedPlace,
  entry: EntryOf<'announcement'>,
  bytes: Uint8Array,
): Promise<Verdict<object>> {
  const found = digestOf(host, bytes);
  if (found !== entry.statement) return anotherDigest('the announcement', entry.statement, found);
  const envelope = parseEnvelope(bytes, 'the announcement');
  const opened = await openAnnouncement(host, speakersAt(place, entry.time), envelope);
  if (!opened.ok || isEntryOf(entry, opened.announcement)) return opened;
  return refusal('untrusted', 'the signed announcement does not say what its entry says');
}

/** As many owners as sign a policy voided the commitment that the entry names. */
export async function checkVoid(
  host: Host,
  place: JudgedPlace,
  entry: EntryOf<'void'>,
  signed: readonly Uint8Array[],
): Promise<Verdict<object>> {
  const digests = signed.map((bytes) => digestOf(host, bytes));
  const same =
    digests.length === entry.signed.length && digests.every((each, i) => each === entry.signed[i]);
  if (!same) {
    return refusal('digest-mismatch', 'the envelopes over the void are not those of its entry');
  }
  const envelopes = signed.map((bytes, i) => parseEnvelope(bytes, `signed.${i}`));
  const opened = await openVoid(host, speakersAt(place, entry.time), envelopes);
  if (!opened.ok) return opened;
  const statement = digestOf(host, envelopes[0]!.payload);
  if (statement !== entry.statement) return anotherDigest('the void', entry.statement, statement);
  if (opened.said.label === entry.label) return { ok: true };
  return refusal('untrusted', 'the signed void is of another commitment than its entry says');
}

/** The root document is the one that the log names. */
export function checkRootDocument(
  host: Host,
  root: TrustRoot,
  entry: EntryOf<'root'>,
  bytes: Uint8Array,
): Verdict<object> {
  const found = digestOf(host, bytes);
  const what = `version ${entry.version} of root.json`;
  if (found !== entry.digest) return anotherDigest(what, entry.digest, found);
  const { document } = parseRoot(host, bytes);
  if (document.version === entry.version && document.origin === root.origin) return { ok: true };
  return refusal('untrusted', `${what} is another version, or another registry’s`);
}
