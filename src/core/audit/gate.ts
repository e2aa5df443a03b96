/**
 * Was the gate met when a release was logged? Everything that the registry decided it by is
 * derived once more, from the log and the documents that the entry names:
 *
 *     policy     the one in force at the entry's place, and the entry names it
 *     decisions  whatever was committed about it (`openings.ts`), and the gate over all of that
 *     intent     a release manager's, as the entry names it
 *     verdict    the registry's signature under exactly these inputs
 *
 * In a namespace that never had a gated policy nobody's decision counts, and none is looked for.
 */
import { type Digest, digestOf } from '../digest.ts';
import type { Host } from '../host.ts';
import type { EntryOf } from '../log/entry.ts';
import { parseDecisions, type RevealedDecision } from '../release/decisions.ts';
import { type Clearance, passGate } from '../release/gate.ts';
import type { Manifest } from '../release/manifest.ts';
import { formatReleaseName, parseReleaseName } from '../release/name.ts';
import { type OpenedStatement, openIntentStatement } from '../release/opened-decision.ts';
import { type LoggedPolicy, type PolicyHistory, revokedKeys } from '../release/policy-history.ts';
import { isGated } from '../release/requirements.ts';
import { checkSeen } from '../release/seen-checkpoint.ts';
import type { Decision } from '../statement/decision.ts';
import { openEnvelope, parseEnvelope } from '../statement/dsse.ts';
import { statementPayload } from '../statement/in-toto.ts';
import { parseGateSummary } from '../statement/verdict.ts';
import { releaseKeysAt } from '../trust/periods.ts';
import { refusal, type Verdict } from '../verdict.ts';
import type { NamedPolicy } from './fold.ts';
import { type CommitmentSource, checkChain, type Openings, openCommitments } from './openings.ts';
import { anotherDigest, inForceAt, type JudgedPlace } from './place.ts';

/** What a release entry may name of the gate, each undefined where it does not. */
export interface GateDocuments {
  /** decisions.json */
  readonly decisions: Uint8Array | undefined;
  /** verdict.dsse */
  readonly verdict: Uint8Array | undefined;
  /** intent.dsse */
  readonly intent: Uint8Array | undefined;
}

/** A release before the gate. */
export interface ReleaseAtGate {
  readonly entry: EntryOf<'release'>;
  readonly manifest: Manifest;
  /** Every policy of the namespace before it, as the log names them. */
  readonly policies: readonly NamedPolicy[];
  /** Other digests of the namespace that are known to be of the same bytes. */
  readonly twins: readonly Digest[];
}

/** What the gate was found to have been met by. */
export interface MetGate {
  readonly policy: LoggedPolicy;
  readonly gated: boolean;
  /** Who signed the decisions, each once; `registry` sealed. */
  readonly people: readonly string[];
  /** How many decisions were opened. */
  readonly decisions: number;
  /** Each of them, in the order of the log. */
  readonly said: readonly SaidAtGate[];
  /** Labels of the commitments that the release has accounted for, in hex. */
  readonly labels: readonly string[];
}

/** Who decided what, by the commitment at that index. */
export interface SaidAtGate {
  readonly index: number;
  readonly person: string;
  readonly decision: Decision['decision'];
}

const NOTHING_COMMITTED: Openings = {
  decisions: [],
  unopened: [],
  labels: [],
  decisionBefore: () => undefined,
};

/** Asks the gate again, with what the log and the release's documents show. */
export async function checkGate(
  host: Host,
  place: JudgedPlace,
  source: CommitmentSource,
  release: ReleaseAtGate,
  documents: GateDocuments,
): Promise<Verdict<{ readonly gate: MetGate }>> {
  const { entry } = release;
  const policy = inForceAt(place, entry.time);
  if (entry.policy !== policy.index) {
    const message = `${entry.release} met the policy at ${entry.policy}, but the one at ${policy.index} was in force`;
    return refusal('gate-unmet', message);
  }
  const gated = isGated(policy.policy.gate);
  const named = gated ? checkNamed(entry) : ({ ok: true } as const);
  if (!named.ok) return named;

  const openings = wasEverGated(place.history, policy)
    ? await openAll(host, place, source, release, documents.decisions)
    : ({ ok: true, ...NOTHING_COMMITTED } as const);
  if (!openings.ok) return openings;
  const intent = await openIntent(host, place, source, entry, openings, documents.intent);
  if (!intent.ok) return intent;
  const met = askGate(place, policy, release, openings, intent.intent);
  if (!met.ok) return met;
  const judged = await checkVerdict(host, place, release, met.clearance, documents.verdict);
  if (!judged.ok) return judged;

  const { decisions, labels } = openings;
  const said = decisions.map(({ index, signer, statement: { decision } }) => ({
    index,
    person: signer === 'registry' ? signer : signer.person,
    decision,
  }));
  const people = [...new Set(said.map(({ person }) => person))].sort();
  const gate = { policy, gated, people, said, labels };
  return { ok: true, gate: { ...gate, decisions: decisions.length } };
}

/** A gated release shows what it was decided by. */
function checkNamed({ release, decisions, intent, verdict }: EntryOf<'release'>): Verdict<object> {
  const missing = Object.entries({ decisions, intent, verdict }).find(
    ([, digest]) => digest === undefined,
  );
  if (missing === undefined) return { ok: true };
  const [what] = missing;
  return refusal('gate-unmet', `the entry of ${release} names no ${what}, and its policy is gated`);
}

/** Did a gated policy hold before, or might one have? Then there may be decisions. */
function wasEverGated({ steps }: PolicyHistory, { policy }: LoggedPolicy): boolean {
  return (
    isGated(policy.gate) ||
    steps.some(
      ({ inForce, waiting }) =>
        isGated(inForce.policy.gate) ||
        (waiting !== undefined && isGated(waiting.logged.policy.gate)),
    )
  );
}

async function openAll(
  host: Host,
  place: JudgedPlace,
  source: CommitmentSource,
  { entry, manifest }: ReleaseAtGate,
  bytes: Uint8Array | undefined,
): Promise<Verdict<Openings>> {
  const revealed = openRevealed(host, entry, bytes);
  if (!revealed.ok) return revealed;
  const { namespace } = parseReleaseName(entry.release);
  const about = { namespace, digests: [entry.digest, ...manifest.draft.former] };
  return openCommitments(host, place, source, about, revealed.decisions);
}

/** The decisions.json that the entry names; nothing, where it names none. */
function openRevealed(
  host: Host,
  entry: EntryOf<'release'>,
  bytes: Uint8Array | undefined,
): Verdict<{ readonly decisions: readonly RevealedDecision[] }> {
  if (entry.decisions === undefined || bytes === undefined) return { ok: true, decisions: [] };
  const found = digestOf(host, bytes);
  if (found !== entry.decisions) return anotherDigest('decisions.json', entry.decisions, found);
  const { release, digest, decisions } = parseDecisions(bytes);
  if (release === entry.release && digest === entry.digest) return { ok: true, decisions };
  return refusal('untrusted', `decisions.json is that of ${release} with the digest ${digest}`);
}

/** The intent that the entry names, in its signer's chain, by somebody who saw this log. */
async function openIntent(
  host: Host,
  { history, index }: JudgedPlace,
  { rootAt }: CommitmentSource,
  entry: EntryOf<'release'>,
  openings: Openings,
  bytes: Uint8Array | undefined,
): Promise<Verdict<{ readonly intent: OpenedStatement | undefined }>> {
  if (entry.intent === undefined || bytes === undefined) return { ok: true, intent: undefined };
  const found = digestOf(host, bytes);
  if (found !== entry.intent) return anotherDigest('the intent', entry.intent, found);
  const envelope = parseEnvelope(bytes, 'the intent');
  const opened = await openIntentStatement(host, history, { index, time: entry.time }, envelope);
  if (!opened.ok) return opened;
  const { signer, statement } = opened.intent;
  const spki = signer === 'registry' ? '' : signer.spki;
  const before = openings.decisionBefore(spki, statement.context.n);
  const fault = checkChain(opened.intent, index, before);
  return fault ?? (await checkSeen(opened.intent, index, rootAt)) ?? opened;
}

/**
 * In which role the publisher spoke is in a token and not in the log, so the gate is asked
 * with one that suffices.
 */
function askGate(
  { history, index }: JudgedPlace,
  { index: policyIndex, policy }: LoggedPolicy,
  { entry, manifest, twins }: ReleaseAtGate,
  { decisions, unopened }: Openings,
  intent: OpenedStatement | undefined,
): Verdict<{ readonly clearance: Clearance }> {
  const gate = passGate({
    policy,
    policyIndex,
    release: entry.release,
    revision: manifest.draft.revision,
    sealed: entry.digest,
    named: entry.digest,
    twins: new Set(twins),
    roles: ['publisher'],
    time: entry.time,
    revoked: revokedKeys(history, index),
    decisions,
    unopened,
    intent,
  });
  if (gate.ok) return gate;
  const { missing } = gate;
  return refusal('gate-unmet', missing.map(({ message }) => message).join('; '), { missing });
}

/** The registry signed that this release passed this policy with exactly these inputs. */
async function checkVerdict(
  host: Host,
  { root, index }: JudgedPlace,
  { entry, policies }: ReleaseAtGate,
  clearance: Clearance,
  bytes: Uint8Array | undefined,
): Promise<Verdict<object>> {
  if (entry.verdict === undefined || bytes === undefined) return { ok: true };
  const found = digestOf(host, bytes);
  if (found !== entry.verdict) return anotherDigest('the verdict', entry.verdict, found);
  const envelope = parseEnvelope(bytes, 'the verdict');
  const keys = releaseKeysAt(root, index);
  const signed = await Promise.all(keys.map((key) => openEnvelope(host, envelope, key)));
  if (!signed.some(({ ok }) => ok)) {
    return refusal('signature-invalid', 'the verdict is not signed by the registry’s release key');
  }
  const said = parseGateSummary(statementPayload(envelope, 'the verdict'));
  const policy = policies.find((each) => each.index === clearance.policy);
  const agrees =
    said.origin === root.origin &&
    formatReleaseName(said.release) === entry.release &&
    said.digest === entry.digest &&
    said.policy.index === clearance.policy &&
    said.policy.digest === policy?.digest &&
    Date.parse(said.time) <= Date.parse(entry.time);
  if (!agrees) return refusal('untrusted', 'the verdict is not that of the log’s release entry');
  const { inputs } = clearance;
  const same =
    said.inputs.length === inputs.length && said.inputs.every((input, i) => input === inputs[i]);
  if (same) return { ok: true };
  return refusal('untrusted', 'the verdict names other inputs than those that were decided', {
    expected: inputs,
    found: said.inputs,
  });
}
