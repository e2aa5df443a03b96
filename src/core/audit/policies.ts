/**
 * The policies of a namespace, as the log names them: each is the one of its entry, follows
 * upon the one logged before it, names no key without the word of its holder, and is signed by
 * those who had to sign it: the quorum of owners of the policy that was in force at its place.
 */
import { equal } from '../bytes.ts';
import { type Digest, digestOf } from '../digest.ts';
import type { Host } from '../host.ts';
import type { EntryOf } from '../log/entry.ts';
import { checkEnrolments } from '../release/enrolment.ts';
import { POLICY_PAYLOAD_TYPE, type Policy, parsePolicy } from '../release/policy.ts';
import { personWhoSigned, type Speakers } from '../release/signed-by.ts';
import { type Envelope, openEnvelope, parseEnvelope } from '../statement/dsse.ts';
import type { Spki } from '../statement/public-key.ts';
import { releaseKeysAt } from '../trust/periods.ts';
import type { TrustRoot } from '../trust/succession.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { anotherDigest, type JudgedPlace, type Place, speakersAt } from './place.ts';

/** A policy and the envelopes over it, as they were served. */
export interface PolicyDocuments {
  readonly policy: Uint8Array;
  readonly signed: readonly Uint8Array[];
}

type PolicyEntry = EntryOf<'namespace'> | EntryOf<'policy'>;

/** Is this the policy that the log names? */
export function openPolicy(
  host: Host,
  root: TrustRoot,
  { namespace, digest }: { readonly namespace: string; readonly digest: Digest },
  bytes: Uint8Array,
): Verdict<{ readonly policy: Policy }> {
  const found = digestOf(host, bytes);
  if (found !== digest) return anotherDigest('the policy', digest, found);
  const policy = parsePolicy(bytes);
  if (policy.origin !== root.origin || policy.namespace !== namespace) {
    return refusal('untrusted', `the policy is that of ${policy.namespace} of ${policy.origin}`);
  }
  return { ok: true, policy };
}

/** A namespace's first policy: version 1, signed by its own owners and by the registry. */
export async function checkFirstPolicy(
  host: Host,
  { root, index }: Place,
  entry: EntryOf<'namespace'>,
  documents: PolicyDocuments,
): Promise<Verdict<object>> {
  const named = await openNamed(host, root, entry, documents);
  if (!named.ok) return named;
  const { policy, envelopes } = named;
  if (policy.version !== 1) return wrongVersion(policy, 1);
  const signed = await countSigners(
    host,
    envelopes,
    { policy, revoked: new Set(), time: entry.time },
    releaseKeysAt(root, index),
  );
  if (!signed.ok) return signed;
  if (signed.registry) return checkQuorum(policy, signed.owners);
  return refusal('signature-invalid', 'the registry has not signed the namespace’s first policy');
}

/**
 * A later policy: the version after the one that was logged before it, signed by as many owners
 * as the policy in force asks for, with keys that are good at its place.
 */
export async function checkNextPolicy(
  host: Host,
  place: JudgedPlace,
  entry: EntryOf<'policy'>,
  documents: PolicyDocuments,
  newest: Policy,
): Promise<Verdict<object>> {
  const { root, index } = place;
  const named = await openNamed(host, root, entry, documents);
  if (!named.ok) return named;
  const { policy, envelopes } = named;
  if (policy.version !== newest.version + 1) return wrongVersion(policy, newest.version + 1);
  const speakers = speakersAt(place, entry.time);
  const signed = await countSigners(host, envelopes, speakers, releaseKeysAt(root, index));
  return signed.ok ? checkQuorum(speakers.policy, signed.owners) : signed;
}

async function openNamed(
  host: Host,
  root: TrustRoot,
  entry: PolicyEntry,
  { policy: bytes, signed }: PolicyDocuments,
): Promise<Verdict<{ readonly policy: Policy; readonly envelopes: readonly Envelope[] }>> {
  const { namespace, policy: digest } = entry;
  const opened = openPolicy(host, root, { namespace, digest }, bytes);
  if (!opened.ok) return opened;
  const digests = signed.map((envelope) => digestOf(host, envelope));
  const same =
    digests.length === entry.signed.length && digests.every((each, i) => each === entry.signed[i]);
  if (!same) {
    return refusal('digest-mismatch', 'the envelopes over the policy are not those of its entry');
  }
  const envelopes = signed.map((envelope, i) => parseEnvelope(envelope, `signed.${i}`));
  const over = envelopes.every(
    ({ payloadType, payload }) => payloadType === POLICY_PAYLOAD_TYPE && equal(payload, bytes),
  );
  if (!over)
    return refusal('untrusted', 'an envelope of the policy’s entry is not over the policy');
  const enrolled = await checkEnrolments(host, opened.policy);
  return enrolled.ok ? { ok: true, policy: opened.policy, envelopes } : enrolled;
}

/** Who signed: distinct owners of `policy`, and the registry. A stranger's envelope is refused. */
async function countSigners(
  host: Host,
  envelopes: readonly Envelope[],
  speakers: Speakers,
  registryKeys: readonly Spki[],
): Promise<Verdict<{ readonly owners: number; readonly registry: boolean }>> {
  const owners = new Set<string>();
  let registry = false;
  for (const [i, envelope] of envelopes.entries()) {
    const owner = await personWhoSigned(host, speakers, 'owner', envelope);
    if (owner !== undefined) owners.add(owner);
    else if (await isSignedByAny(host, envelope, registryKeys)) registry = true;
    else return refusal('signature-invalid', `signed.${i} is signed by nobody who may`);
  }
  return { ok: true, owners: owners.size, registry };
}

function checkQuorum(policy: Policy, owners: number): Verdict<object> {
  if (owners >= policy.owners) return { ok: true };
  return refusal(
    'signature-invalid',
    `the policy is signed by ${owners} owners, where ${policy.owners} must`,
  );
}

async function isSignedByAny(
  host: Host,
  envelope: Envelope,
  keys: readonly Spki[],
): Promise<boolean> {
  for (const spki of keys) if ((await openEnvelope(host, envelope, spki)).ok) return true;
  return false;
}

function wrongVersion({ version }: Policy, due: number) {
  return refusal('untrusted', `the policy is version ${version}, where ${due} must follow`);
}
