/**
 * The grounds of a publish, as documents: the decisions that open every commitment about the
 * release, the gate's verdict, and the manager's signed intent. They are stored before the
 * release is logged, its entry names them, and nothing else does: so they are revealed exactly
 * with it.
 */
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import type { EntryOf } from '../core/log/entry.ts';
import { formatDecisions, parseDecisions } from '../core/release/decisions.ts';
import { parseReleaseName } from '../core/release/name.ts';
import { type OpenedStatement, openIntentStatement } from '../core/release/opened-decision.ts';
import type { Place } from '../core/release/policy-history.ts';
import { checkSeen } from '../core/release/seen-checkpoint.ts';
import { formatEnvelope, parseEnvelope, toSign } from '../core/statement/dsse.ts';
import { IN_TOTO_PAYLOAD_TYPE } from '../core/statement/in-toto.ts';
import { formatGateSummary } from '../core/statement/verdict.ts';
import type { ReadDocket } from './docket.ts';
import { MAX_ENVELOPE_BYTES } from './documents/decision.ts';
import type { DraftIn } from './documents/draft.ts';
import type { Judged } from './gatekeeper.ts';
import type { RegistryParts, ReleaseKey } from './parts.ts';
import type { Standing } from './policy-book.ts';
import { Statements } from './statements.ts';

/** The digests by which the release entry names its grounds. */
export type NamedGrounds = Pick<EntryOf<'release'>, 'decisions' | 'verdict' | 'intent'>;

/** A manager's intent: the envelope, and what it says. */
export interface SignedIntent {
  readonly envelope: Uint8Array;
  readonly opened: OpenedStatement;
}

/** Opens an intent for an entry at `place`. Throws what it is refused with. */
export async function openSignedIntent(
  host: Host,
  { history }: Standing,
  place: Place,
  envelope: Uint8Array,
): Promise<SignedIntent> {
  if (envelope.length > MAX_ENVELOPE_BYTES) {
    throw new CodedError('too-large', `an intent may have ${MAX_ENVELOPE_BYTES} bytes`);
  }
  const parsed = parseEnvelope(envelope, 'the intent');
  const verdict = await openIntentStatement(host, history, place, parsed);
  if (verdict.ok) return { envelope, opened: verdict.intent };
  throw new CodedError(verdict.code, verdict.message, verdict.evidence);
}

/**
 * Throws for an intent that an auditor would not take: by a signer who saw another log (`fork`,
 * `untrusted`), or whose last decision is another than it says (`conflict`).
 */
export async function requireInPlace(
  { reader }: Pick<RegistryParts, 'reader'>,
  { index }: Place,
  { disclosed }: ReadDocket,
  { opened }: SignedIntent,
): Promise<void> {
  // What another server has published, this one may not have committed upon yet.
  const { size: published } = await reader.published();
  const after = Math.max(index, published);
  const fault = await checkSeen(opened, after, (size) => reader.rootAt(size));
  if (fault !== undefined) throw new CodedError(fault.code, fault.message, fault.evidence);
  const { digest, context } = opened.statement;
  const before = disclosed
    .map((each) => each.opened)
    .find(({ signer, statement }) => {
      const isTheirs = signer !== 'registry' && opened.signer !== 'registry';
      return (
        isTheirs &&
        signer.spki === opened.signer.spki &&
        statement.digest === digest &&
        statement.context.n === context.n - 1
      );
    });
  if (before === undefined || before.digest === context.previous) return;
  throw new CodedError(
    'conflict',
    `the intent names ${context.previous} as its signer’s decision before it, which is ${before.digest}: sign it again`,
  );
}

/** Stores the grounds of what the gate cleared. None where nothing is ever decided. */
export async function writeGrounds(
  parts: RegistryParts,
  key: ReleaseKey,
  draft: DraftIn<'sealed'>,
  { standing, policy, docket }: Pick<Judged, 'standing' | 'policy' | 'docket'>,
  time: string,
  intent: SignedIntent | undefined,
): Promise<NamedGrounds> {
  if (!standing.gated) return {};
  const statements = new Statements(parts);
  const { release, digest } = draft;
  const decisions = docket.disclosed.map(({ revealed }) => revealed);
  const envelopes = docket.disclosed.map(({ opened }) => opened.digest);
  const { digest: document } = standing.record.policies.find((it) => it.index === policy.index)!;
  const summary = formatGateSummary({
    origin: parts.origin,
    release: parseReleaseName(release),
    digest,
    policy: { index: policy.index, digest: document },
    time,
    inputs: intent === undefined ? envelopes : [...envelopes, intent.opened.digest],
  });
  const signature = await key.sign(toSign(IN_TOTO_PAYLOAD_TYPE, summary));
  const verdict = formatEnvelope(IN_TOTO_PAYLOAD_TYPE, summary, signature);
  return {
    decisions: await statements.put(formatDecisions({ release, digest, decisions })),
    verdict: await statements.put(verdict),
    ...(intent !== undefined && { intent: await statements.put(intent.envelope) }),
  };
}

/** Is what the entry reveals all that was decided, as the log has it now? */
export async function revealsAll(
  statements: Statements,
  decisions: Digest | undefined,
  { disclosed }: ReadDocket,
): Promise<boolean> {
  if (decisions === undefined) return false;
  const revealed = parseDecisions(await statements.get(decisions)).decisions;
  if (revealed.length !== disclosed.length) return false;
  return revealed.every(({ index, label, salt }, i) => {
    const now = disclosed[i]!.revealed;
    return index === now.index && label === now.label && salt === now.salt;
  });
}
