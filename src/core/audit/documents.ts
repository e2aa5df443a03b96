/**
 * The documents that entries name by digest: are they there, do they say what the entry says,
 * and did those sign who had to? One function a kind of entry. Malformed documents throw.
 */
import { equal } from '../bytes.ts';
import { type Digest, digestOf } from '../digest.ts';
import type { Host } from '../host.ts';
import type { EntryOf } from '../log/entry.ts';
import { ADVISORY_PAYLOAD_TYPE, advisingRole, parseAdvisory } from '../release/advisory.ts';
import { checkEnrolments } from '../release/enrolment.ts';
import { NOTHING_DECIDED, passGate } from '../release/gate.ts';
import type { Manifest } from '../release/manifest.ts';
import { parseReleaseName } from '../release/name.ts';
import { POLICY_PAYLOAD_TYPE, type Policy, parsePolicy } from '../release/policy.ts';
import { personWhoSigned, type Speakers } from '../release/signed-by.ts';
import { type Envelope, openEnvelope, parseEnvelope } from '../statement/dsse.ts';
import type { Spki } from '../statement/public-key.ts';
import { releaseKeysAt } from '../trust/periods.ts';
import { parseRoot } from '../trust/root.ts';
import type { TrustRoot } from '../trust/succession.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { type ReleaseDocuments, type VerifiedRelease, verifyRelease } from '../verify/release.ts';
import { type Inventory, parseInventory } from '../weights/inventory.ts';
import type { NamedPolicy } from './fold.ts';

/** A policy and the envelopes over it, as they were served. */
export interface PolicyDocuments {
  readonly policy: Uint8Array;
  readonly signed: readonly Uint8Array[];
}

type PolicyEntry = EntryOf<'namespace'> | EntryOf<'policy'>;

/** What is known when an entry's documents are looked at. */
interface Place {
  readonly root: TrustRoot;
  readonly index: number;
}

/** Is this the policy that the log names? */
export function openPolicy(
  host: Host,
  root: TrustRoot,
  { namespace, digest }: Omit<NamedPolicy, 'index'>,
  bytes: Uint8Array,
): Verdict<{ readonly policy: Policy }> {
  const found = digestOf(host, bytes);
  if (found !== digest) return another('the policy', digest, found);
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

/** A later policy: the next version, signed by the owners of the one before it. */
export async function checkNextPolicy(
  host: Host,
  { root, index }: Place,
  entry: EntryOf<'policy'>,
  documents: PolicyDocuments,
  before: Policy,
): Promise<Verdict<object>> {
  const named = await openNamed(host, root, entry, documents);
  if (!named.ok) return named;
  const { policy, envelopes } = named;
  if (policy.version !== before.version + 1) return wrongVersion(policy, before.version + 1);
  const by = { policy: before, revoked: new Set<string>(), time: entry.time };
  const signed = await countSigners(host, envelopes, by, releaseKeysAt(root, index));
  return signed.ok ? checkQuorum(before, signed.owners) : signed;
}

/** The release as a client would verify it, at its place, and the gate of its time. */
export async function checkRelease(
  host: Host,
  { root, index }: Place,
  entry: EntryOf<'release'>,
  documents: ReleaseDocuments,
  policy: Policy,
): Promise<Verdict<{ readonly verified: VerifiedRelease }>> {
  const release = parseReleaseName(entry.release);
  const verified = await verifyRelease(host, root, { ...release, at: release }, documents);
  if (!verified.ok) return verified;
  if (verified.index !== index) {
    return refusal(
      'proof-invalid',
      `the proof of ${entry.release} is one of entry ${verified.index}`,
    );
  }
  const { manifest } = verified;
  const met = checkGate(entry, manifest, policy);
  if (!met.ok) return met;
  const allowed = checkCode(manifest, policy);
  return allowed.ok ? { ok: true, verified } : allowed;
}

/** The tensor inventory is the one that the manifest names, where it names one. */
export function openInventory(
  host: Host,
  { tensors }: Manifest,
  bytes: Uint8Array,
): Verdict<{ readonly inventory: Inventory }> {
  const found = digestOf(host, bytes);
  if (found !== tensors?.sha256 || bytes.length !== tensors.size) {
    return refusal('digest-mismatch', 'tensors.json is not the inventory that the manifest names', {
      expected: tensors,
      found: { sha256: found, size: bytes.length },
    });
  }
  return { ok: true, inventory: parseInventory(bytes) };
}

/** The signed advisory says what the entry says, and its signer may say it. */
export async function checkAdvisory(
  host: Host,
  root: TrustRoot,
  entry: EntryOf<'advisory'>,
  bytes: Uint8Array,
  policy: Policy,
): Promise<Verdict<object>> {
  const found = digestOf(host, bytes);
  if (found !== entry.statement) return another('the advisory', entry.statement, found);
  const envelope = parseEnvelope(bytes, 'the advisory');
  if (envelope.payloadType !== ADVISORY_PAYLOAD_TYPE) {
    return refusal('untrusted', `the advisory has not the type ${ADVISORY_PAYLOAD_TYPE}`);
  }
  const said = parseAdvisory(envelope.payload);
  const agrees =
    said.origin === root.origin &&
    said.release === entry.release &&
    said.digest === entry.digest &&
    said.advisory === entry.advisory &&
    said.summary === entry.summary;
  if (!agrees) return refusal('untrusted', 'the signed advisory does not say what its entry says');
  const role = advisingRole(entry.advisory);
  const signer = await personWhoSigned(
    host,
    { policy, revoked: new Set(), time: entry.time },
    role,
    envelope,
  );
  if (signer !== undefined) return { ok: true };
  return refusal(
    'signature-invalid',
    `the advisory is not signed by ${role ? `a ${role}` : 'anybody'} of ${policy.namespace}`,
  );
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
  if (found !== entry.digest) return another(what, entry.digest, found);
  const { document } = parseRoot(host, bytes);
  if (document.version === entry.version && document.origin === root.origin) return { ok: true };
  return refusal('untrusted', `${what} is another version, or another registry’s`);
}

async function openNamed(
  host: Host,
  root: TrustRoot,
  entry: PolicyEntry,
  { policy: bytes, signed }: PolicyDocuments,
): Promise<Verdict<{ readonly policy: Policy; readonly envelopes: readonly Envelope[] }>> {
  const name = { namespace: entry.namespace as NamedPolicy['namespace'], digest: entry.policy };
  const opened = openPolicy(host, root, name, bytes);
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

/**
 * The gate of the policy in force. In which role the publisher spoke is in a token and not in
 * the log, so the solo gate is asked with one that suffices.
 */
function checkGate(
  entry: EntryOf<'release'>,
  { draft: { revision } }: Manifest,
  policy: Policy,
): Verdict<object> {
  const { digest, policy: policyIndex, release, time } = entry;
  const gate = passGate({
    ...NOTHING_DECIDED,
    release,
    revision,
    time,
    policy,
    policyIndex,
    sealed: digest,
    named: digest,
    roles: ['publisher'],
  });
  if (gate.ok) return { ok: true };
  const { missing } = gate;
  return refusal('gate-unmet', missing.map(({ message }) => message).join('; '), { missing });
}

/** Files that carry code are published only where the policy names their format. */
function checkCode({ files, executes = [] }: Manifest, policy: Policy): Verdict<object> {
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

function another(what: string, expected: Digest, found: Digest) {
  return refusal(
    'digest-mismatch',
    `${what} has the digest ${found}; its entry names ${expected}`,
    {
      expected,
      found,
    },
  );
}
