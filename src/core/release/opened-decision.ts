/**
 * Decisions, opened: envelope, commitment and signer belong together. From here on nobody needs
 * to look at a signature again; what a decision counts for, the gate judges (`gate.ts`).
 *
 * Whose key it is follows from the label, not from trying one key after the other: the label
 * was made from the signer's key, D and n, of which the statement names the last two.
 */
import { type Digest, digestOf } from '../digest.ts';
import type { Host } from '../host.ts';
import { type Decision, parseDecision } from '../statement/decision.ts';
import { type Envelope, formatEnvelope, openEnvelope } from '../statement/dsse.ts';
import { statementPayload } from '../statement/in-toto.ts';
import { parseSpkiBase64, type Spki } from '../statement/public-key.ts';
import { type SigningKey, spkiOf } from '../statement/signature.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { type Commitment, checkCommitment, decisionLabel } from './commitment.ts';
import {
  type Place,
  type PolicyHistory,
  type Signer,
  type Silence,
  signerAt,
  signingKeyAt,
  speakerAt,
} from './policy-history.ts';

/** Something signed by somebody known. */
export interface OpenedStatement<D extends Decision = Decision> {
  /** Who, as of the place where it was logged; the registry seals. */
  readonly signer: Signer | 'registry';
  /** Digest of the envelope. */
  readonly digest: Digest;
  readonly statement: D;
}

/** A decision behind a commitment in the log. */
export interface OpenedDecision<D extends Decision = Decision> extends OpenedStatement<D> {
  /** Log index of the commitment. */
  readonly index: number;
  /** The instant in its entry. */
  readonly time: string;
}

/** A commitment and where it was logged. */
export type LoggedCommitment = Commitment & Place;

/** Who may have signed. */
export interface Signers {
  readonly history: PolicyHistory;
  /** The registry's release keys at that place. */
  readonly registry: readonly Spki[];
}

/**
 * Opens one commitment with its salt and envelope. Malformed envelopes and statements throw;
 * refused are another label, salt, envelope or signature (`untrusted`, `digest-mismatch`,
 * `signature-invalid`), and whoever is not enrolled at that place, no longer, or not yet.
 */
export async function openDecision(
  host: Host,
  signers: Signers,
  logged: LoggedCommitment,
  { salt, envelope }: { readonly salt: string; readonly envelope: Envelope },
): Promise<Verdict<{ readonly decision: OpenedDecision }>> {
  const statement = parseDecision(statementPayload(envelope, 'the decision'));
  const found = findSigner(host, signers, logged, statement);
  if (typeof found === 'string') {
    const { index, label } = logged;
    return refusal('untrusted', SILENCE[found](index), { index, label, reason: found });
  }
  const { payloadType, payload, signature } = envelope;
  const digest = digestOf(host, formatEnvelope(payloadType, payload, signature));
  const opening = { digest: statement.digest, spki: spkiOf(found.key), n: statement.context.n };
  const fits = checkCommitment(host, logged, { ...opening, salt, envelope: digest });
  if (!fits.ok) return fits;
  const opened = await openEnvelope(host, envelope, found.key);
  if (!opened.ok) return opened;
  const { index, time } = logged;
  return { ok: true, decision: { index, time, signer: found.signer, digest, statement } };
}

/** Opens what stands in no commitment: the signed intent to publish, for an entry at `place`. */
export async function openIntentStatement(
  host: Host,
  history: PolicyHistory,
  place: Place,
  envelope: Envelope,
): Promise<Verdict<{ readonly intent: OpenedStatement }>> {
  const statement = parseDecision(statementPayload(envelope, 'the intent'), 'the intent');
  const signers = [...keysIn(history)].flatMap((text) => signerAt(history, place, text) ?? []);
  // Nearly always a release manager did: trying them first spares most of the signatures.
  const isManager = ({ roles }: Signer) => roles.includes('release-manager');
  const likely = [...signers.filter(isManager), ...signers.filter((each) => !isManager(each))];
  for (const signer of likely) {
    const key = signingKeyAt(history, place, signer.spki);
    if (key === undefined || !(await openEnvelope(host, envelope, key)).ok) continue;
    const { payloadType, payload, signature } = envelope;
    const digest = digestOf(host, formatEnvelope(payloadType, payload, signature));
    return { ok: true, intent: { signer, digest, statement } };
  }
  return refusal('signature-invalid', 'the intent is signed by nobody of the namespace');
}

interface Found {
  readonly signer: Signer | 'registry';
  readonly key: SigningKey;
}

function findSigner(
  host: Host,
  { history, registry }: Signers,
  logged: LoggedCommitment,
  { digest, context: { n } }: Decision,
): Found | Silence {
  const isLabelOf = (spki: Spki) => decisionLabel(host, digest, spki, n) === logged.label;
  const ours = registry.find(isLabelOf);
  if (ours !== undefined) return { signer: 'registry', key: ours };
  for (const text of keysIn(history)) {
    const spki = parseSpkiBase64(text);
    if (!isLabelOf(spki)) continue;
    const signer = speakerAt(history, logged, text);
    if (typeof signer === 'string') return signer;
    const key = signingKeyAt(history, logged, text);
    return key === undefined ? 'key-not-enrolled' : { signer, key };
  }
  return 'key-unknown';
}

/** What whoever signed should know, where nobody speaks at that index of the log. */
const SILENCE: Readonly<Record<Silence, (index: number) => string>> = {
  'key-unknown': (index) =>
    `the commitment at ${index} was made with no key of the namespace’s policies to this decision: it is a stranger’s, or its label is of another digest or number`,
  'key-revoked': (index) =>
    `the decision’s key was revoked before it was committed at ${index}; decide with another key`,
  'key-not-enrolled': (index) =>
    `the decision’s key was in no policy in force when it was committed at ${index}; once it is, decide again`,
  'key-expired': (index) =>
    `the decision’s key had expired when it was committed at ${index}; decide with another key`,
};

/** Every key that ever stood in a policy: a label may be of any of them. */
export function keysIn({ steps }: PolicyHistory): ReadonlySet<string> {
  return steps.at(-1)?.keys ?? new Set();
}
