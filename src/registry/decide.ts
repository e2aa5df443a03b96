/**
 * Decisions: what opens a commitment that is in the log. The registry records it and judges
 * nothing: whether it counts, and for what, is the gate's to say. It only refuses what would be
 * found by nobody: on other bytes than are sealed, by a stranger, out of its signer's order.
 *
 * The order of things is that of the log. A commitment that is logged before the release is,
 * stops it until it is opened; one that is logged after it comes too late, and is told where
 * the release stands.
 */
import { formatBase64, parseBase64 } from '../core/bytes.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { parseEntry } from '../core/log/entry.ts';
import { decisionLabel } from '../core/release/commitment.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../core/release/name.ts';
import {
  type LoggedCommitment,
  type OpenedDecision,
  openDecision,
} from '../core/release/opened-decision.ts';
import { TAKING_PART } from '../core/release/roles.ts';
import { checkSeen } from '../core/release/seen-checkpoint.ts';
import type { Decision } from '../core/statement/decision.ts';
import { parseEnvelope } from '../core/statement/dsse.ts';
import { parseSpkiBase64, type Spki } from '../core/statement/public-key.ts';
import { keys } from '../store/keys.ts';
import { requireRole } from './access.ts';
import { decisionForm, loggedForm, MAX_ENVELOPE_BYTES } from './documents/decision.ts';
import { sealedDigest } from './documents/draft.ts';
import { load } from './documents/form.ts';
import { releaseForm } from './documents/release.ts';
import type { Drafts } from './drafts.ts';
import type { Disclosure, DraftDecisions, RecordedDecision, ShownDecision } from './gate-shapes.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { Namespaces } from './namespaces.ts';
import type { RegistryParts } from './parts.ts';
import { inStore, type PolicyBook, type Standing } from './policy-book.ts';
import type { Caller } from './registry.ts';
import type { RegistrySeals } from './registry-seal.ts';
import type { Reports } from './reports.ts';
import { disclosed, shown } from './shown.ts';

/** The other use cases that a decision needs. */
interface Rooms {
  readonly drafts: Drafts;
  readonly namespaces: Namespaces;
  readonly book: PolicyBook;
  readonly gatekeeper: Gatekeeper;
  readonly seals: RegistrySeals;
  readonly reports: Reports;
}

export class Decisions {
  readonly #parts: RegistryParts;
  readonly #rooms: Rooms;

  constructor(parts: RegistryParts, rooms: Rooms) {
    this.#parts = parts;
    this.#rooms = rooms;
  }

  /** Records what opens the commitment at `index`. The same again is answered the same. */
  async decide(
    caller: Caller,
    release: ReleaseName,
    { index, salt, envelope: bytes }: Disclosure,
  ): Promise<RecordedDecision> {
    requireRole(caller, release.namespace, TAKING_PART);
    if (bytes.length > MAX_ENVELOPE_BYTES) {
      throw new CodedError('too-large', `a decision may have ${MAX_ENVELOPE_BYTES} bytes`);
    }
    const standing = await this.#gated(release);
    const logged = await this.#commitment(index);
    const envelope = parseEnvelope(bytes, 'the decision');
    const { host, keys: ours } = this.#parts;
    const signers = { history: standing.history, registry: ours.releaseKeys(index) };
    const opened = await openDecision(host, signers, logged, { salt, envelope });
    if (!opened.ok) throw new CodedError(opened.code, opened.message, opened.evidence);
    const { decision } = opened;

    await this.#requireSeen(decision);
    await this.#requireAbout(release, decision, logged);
    await this.#requireChain(decision);
    await this.#rooms.reports.require(release.namespace, decision.statement);
    await this.#record(release, logged, { salt, bytes });
    await this.#requireInTime(release, logged);
    const { drafts } = this.#rooms;
    if (decision.statement.decision === 'withdraw') await drafts.settle(await drafts.get(release));
    return { index, digest: decision.digest, decision: decision.statement.decision };
  }

  /** What was decided about a sealed draft, with all that opens the commitments. */
  async list(caller: Caller, release: ReleaseName): Promise<DraftDecisions> {
    const { digest, revision, docket } = await this.#sealed(caller, release);
    const { unopened, voids } = docket;
    return { digest, revision, decisions: docket.disclosed.map(disclosed), unopened, voids };
  }

  /** A report that one of these decisions rests on. Throws `not-found`. */
  async report(caller: Caller, release: ReleaseName, digest: Digest): Promise<Uint8Array> {
    const { docket } = await this.#sealed(caller, release);
    const statements = docket.disclosed.map(({ opened }) => opened.statement);
    return this.#rooms.reports.namedBy(statements, release, digest);
  }

  /** What was decided about what is sealed, for those who take part. */
  async #sealed(caller: Caller, release: ReleaseName) {
    requireRole(caller, release.namespace, TAKING_PART);
    const draft = await this.#rooms.drafts.get(release);
    const digest = sealedDigest(draft);
    if (digest === undefined || draft.state === 'withdrawn') {
      throw new CodedError('conflict', `${draft.release} is ${draft.state}, not sealed`);
    }
    await this.#rooms.seals.finish(draft);
    const from = inStore(this.#parts);
    const standing = await this.#rooms.book.read(from, release.namespace);
    const docket = await this.#rooms.gatekeeper.docket(from, standing, draft);
    return { digest, revision: draft.revision, docket };
  }

  /** What a published release reveals, in the order of the log; nothing where it is not published. */
  async revealed(release: ReleaseName): Promise<readonly ShownDecision[]> {
    const draft = await this.#rooms.drafts.get(release);
    if (draft.state !== 'published') return [];
    const from = inStore(this.#parts);
    const standing = await this.#rooms.book.read(from, release.namespace);
    const { disclosed: all } = await this.#rooms.gatekeeper.docket(from, standing, draft);
    const ours = all.filter(({ opened: { index, statement } }) => {
      return index < draft.index && statement.context.release === draft.release;
    });
    return ours.map(shown);
  }

  async #gated({ namespace }: ReleaseName): Promise<Standing> {
    const standing = await this.#rooms.book.open(await this.#rooms.namespaces.get(namespace));
    if (standing.gated) return standing;
    throw new CodedError(
      'conflict',
      `the policy of ${namespace} is solo: it asks for nobody’s decision, and takes none`,
    );
  }

  async #commitment(index: number): Promise<LoggedCommitment> {
    const parsed = parseEntry(await this.#parts.reader.entry(index));
    if (parsed.known && parsed.entry.kind === 'commitment') {
      const { label, commit, time } = parsed.entry;
      return { label, commit, index, time };
    }
    throw new CodedError('not-found', `entry ${index} of the log is no commitment`);
  }

  /** Throws unless its signer saw this log: who was shown another one has to learn of it. */
  async #requireSeen(decision: OpenedDecision): Promise<void> {
    const { reader } = this.#parts;
    const fault = await checkSeen(decision, decision.index, (size) => reader.rootAt(size));
    if (fault !== undefined) throw new CodedError(fault.code, fault.message, fault.evidence);
  }

  /** Throws unless the decision is about exactly what is sealed here, or was when it was committed. */
  async #requireAbout(
    release: ReleaseName,
    { signer, statement }: OpenedDecision,
    { index }: LoggedCommitment,
  ): Promise<void> {
    const { context, digest, decision } = statement;
    if (signer === 'registry' || decision === 'seal' || decision === 'publish') {
      throw new CodedError('bad-statement', `"${decision}" is nothing that is recorded this way`);
    }
    const name = formatReleaseName(release);
    requireReleaseNamed(context, this.#parts.origin, release);
    await this.#requireInTime(release, { index });
    const draft = await this.#rooms.drafts.get(release);
    await this.#rooms.seals.finish(draft);
    const { revision } = draft;
    const present = sealedDigest(draft);
    if (present === digest && revision === context.revision) return;
    if (draft.former[context.revision - 1] === digest && (await this.#isOlder(index, present))) {
      return;
    }
    throw new CodedError(
      'conflict',
      `revision ${revision} of ${name} is ${present === undefined ? 'not sealed' : `sealed as ${present}`}; the decision is about revision ${context.revision}, ${digest}: look at what is sealed, and decide again`,
      {
        reason: revision === context.revision ? 'another-digest' : 'another-revision',
        revision,
        ...(present !== undefined && { digest: present }),
      },
    );
  }

  /**
   * Was the commitment logged before the present revision was sealed? Then its signer could not
   * know of that. What they said permits nothing any more, but opened it blocks nothing either.
   */
  async #isOlder(index: number, present: Digest | undefined): Promise<boolean> {
    const sealed = present && (await this.#rooms.seals.loggedAt(present));
    return sealed === undefined || index < sealed;
  }

  /** Throws `conflict` for a commitment that stands behind the release in the log. */
  async #requireInTime(
    release: ReleaseName,
    { index }: Pick<LoggedCommitment, 'index'>,
  ): Promise<void> {
    const published = await load(this.#parts.store, keys.release(release), releaseForm);
    if (published === undefined || published.value.index > index) return;
    throw new CodedError(
      'conflict',
      `${formatReleaseName(release)} was published by entry ${published.value.index}, before that commitment`,
      { index: published.value.index },
    );
  }

  /**
   * A signer's decisions are numbered without gaps, or nobody would find those after one; and
   * each names the one before.
   */
  async #requireChain({ signer, statement }: OpenedDecision): Promise<void> {
    if (signer === 'registry') return;
    const spki = parseSpkiBase64(signer.spki);
    const { n, previous } = statement.context;
    const labels = Array.from({ length: n }, (_, i) => this.#label(statement, spki, i));
    const sizes = await Promise.all(labels.map((it) => this.#parts.store.size(keys.label(it))));
    const gap = sizes.indexOf(undefined);
    if (gap >= 0) {
      throw new CodedError(
        'conflict',
        `the decision has the number ${n}, but the log has none with the number ${gap} by its signer`,
      );
    }
    const before = labels.at(-1);
    const held = before && (await load(this.#parts.store, keys.decision(before), decisionForm));
    if (!held) return;
    const found = digestOf(this.#parts.host, parseBase64(held.value.envelope));
    if (found === previous) return;
    throw new CodedError(
      'conflict',
      `the decision names ${previous} as the one before it; its signer’s decision ${n - 1} is ${found}`,
    );
  }

  #label({ digest }: Decision, spki: Spki, n: number): string {
    return decisionLabel(this.#parts.host, digest, spki, n);
  }

  /** From here on the decision cannot be lost, only be found. */
  async #record(
    { namespace }: ReleaseName,
    { label }: LoggedCommitment,
    { salt, bytes }: { readonly salt: string; readonly bytes: Uint8Array },
  ): Promise<void> {
    const voided = await load(this.#parts.store, keys.voided(namespace, label), loggedForm);
    if (voided !== undefined) {
      const message = `the owners voided that commitment, in entry ${voided.value.index}`;
      throw new CodedError('conflict', message, { index: voided.value.index });
    }
    const record = { v: 1, label, salt, envelope: formatBase64(bytes) } as const;
    // One commitment is opened by one salt and envelope alone: what is there is the same.
    await this.#parts.store.create(keys.decision(label), decisionForm.format(record));
  }
}

/** A decision names where it is good: what was said elsewhere is not said here. */
function requireReleaseNamed(
  { origin, release: named }: Decision['context'],
  here: string,
  release: ReleaseName,
): void {
  const name = formatReleaseName(release);
  if (origin === here && named === name) return;
  const { namespace } = parseReleaseName(named);
  const reason =
    origin !== here
      ? 'another-registry'
      : namespace === release.namespace
        ? 'another-release'
        : 'another-namespace';
  throw new CodedError(
    'bad-statement',
    `the decision is about ${named} at ${origin}, not about ${name} at ${here}; it counts there alone`,
    { reason },
  );
}
