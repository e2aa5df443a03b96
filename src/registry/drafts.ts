/**
 * Drafts: a version before it is published. `documents/draft.ts` shows its states.
 *
 * Opening a draft that is sealed changes nothing: whoever pushes the same files again gets
 * the same digest, and the decisions on it stay. The first change of content reopens it: a
 * new revision begins, the sealed digest joins `former`, and decisions on it are void.
 *
 * A draft is withdrawn by a token, or, where the policy is gated and it was ever sealed, by the
 * decision of somebody whose key may: then it is withdrawn because the gate says that it can
 * never be published.
 */
import { compareCodePoints } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { MAX_REVISIONS } from '../core/release/manifest.ts';
import type { Missing, Need } from '../core/release/missing.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../core/release/name.ts';
import { isGated } from '../core/release/requirements.ts';
import { PUBLISHING, type Role } from '../core/release/roles.ts';
import { keys } from '../store/keys.ts';
import { requireDraftReader, requireRole, requireUploader } from './access.ts';
import type { ReadDocket } from './docket.ts';
import { type Draft, type DraftIn, draftForm, sealedDigest } from './documents/draft.ts';
import { change, load } from './documents/form.ts';
import type { ShownDecision } from './gate-shapes.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { Namespaces } from './namespaces.ts';
import type { RegistryParts } from './parts.ts';
import { inForceAt, inStore, type PolicyBook } from './policy-book.ts';
import type { Amount, Quotas } from './quotas.ts';
import type { Caller, DraftStatus } from './registry.ts';
import { shown } from './shown.ts';
import { Statements } from './statements.ts';
import { isGivenUp, unsigned, withdrawn } from './withdrawal.ts';

/** What drafts are judged by, and what follows when one is given up. */
interface Rooms {
  readonly namespaces: Namespaces;
  readonly book: PolicyBook;
  readonly gatekeeper: Gatekeeper;
  readonly quotas: Quotas;
  /** Its bytes are needed no more. */
  readonly onWithdrawn: (release: ReleaseName) => void;
}

export class Drafts {
  readonly #parts: RegistryParts;
  readonly #namespaces: Namespaces;
  readonly #book: PolicyBook;
  readonly #gatekeeper: Gatekeeper;
  readonly #quotas: Quotas;
  readonly #onWithdrawn: Rooms['onWithdrawn'];
  readonly #statements: Statements;

  constructor(parts: RegistryParts, rooms: Rooms) {
    const { namespaces, book, gatekeeper, quotas, onWithdrawn } = rooms;
    this.#parts = parts;
    this.#namespaces = namespaces;
    this.#book = book;
    this.#gatekeeper = gatekeeper;
    this.#quotas = quotas;
    this.#onWithdrawn = onWithdrawn;
    this.#statements = new Statements(parts);
  }

  /**
   * Opens a draft, or goes on with the one that is there; an upload session renews itself so.
   * Throws `quota-exceeded` when the draft, or all of `plan` in it, cannot fit.
   */
  async open(caller: Caller, release: ReleaseName, plan?: Amount): Promise<Draft> {
    requireUploader(caller, release);
    await this.#namespaces.get(release.namespace);
    await this.#refusePublished(release);
    const begins = (await this.#parts.store.size(keys.draft(release))) === undefined;
    await this.#quotas.open(release, begins, plan);
    return this.change(release, (draft) => {
      if (draft === undefined) return begin(caller, release);
      if (draft.state === 'draft') return pushedBy(caller, draft);
      if (draft.state === 'sealed') return draft;
      throw closed(draft);
    });
  }

  /** The manifest of a sealed draft, exact bytes. */
  async manifest(caller: Caller, release: ReleaseName): Promise<Uint8Array> {
    requireDraftReader(caller, release);
    const draft = await this.get(release);
    const digest = sealedDigest(draft);
    if (digest !== undefined) return this.#statements.get(digest);
    throw new CodedError('not-found', `${draft.release} is not sealed`);
  }

  /**
   * Withdraws a draft for good: its version is not used again. Throws `gate-unmet` for what the
   * people of a gated namespace were shown: one of them signs that.
   */
  async withdraw(caller: Caller, release: ReleaseName): Promise<Draft> {
    const { namespace } = release;
    requireRole(caller, namespace, PUBLISHING);
    const standing = await this.#book.open(await this.#namespaces.get(namespace));
    const { policy } = inForceAt(standing, this.#book.present());
    const after = await this.change(release, (draft) => {
      if (draft === undefined) throw absent(release);
      if (draft.state === 'withdrawn') return draft;
      if (draft.state === 'publishing' || draft.state === 'published') throw closed(draft);
      const wasSealed = draft.state === 'sealed' || draft.former.length > 0;
      if (isGated(policy.gate) && wasSealed) throw unsigned(draft);
      return withdrawn(draft);
    });
    this.#onWithdrawn(release);
    return after;
  }

  /** Sees to it that a sealed draft which somebody has withdrawn by their signature is. */
  async settle(draft: Draft): Promise<Draft> {
    if (draft.state !== 'sealed') return draft;
    const asked = { named: draft.digest, roles: [] };
    const { verdict } = await this.#gatekeeper.judge(
      inStore(this.#parts),
      draft,
      this.#book.present(),
      asked,
    );
    return verdict.ok || !isGivenUp(verdict.missing) ? draft : this.#giveUp(draft);
  }

  async #giveUp(draft: DraftIn<'sealed'>): Promise<Draft> {
    const release = parseReleaseName(draft.release);
    const after = await this.change(release, (current) =>
      current?.state === 'sealed' && current.digest === draft.digest
        ? withdrawn(current)
        : current!,
    );
    if (after.state === 'withdrawn') this.#onWithdrawn(release);
    return after;
  }

  /** The draft. Throws `not-found`, and `conflict` for a version that differs from it in case alone. */
  async get(release: ReleaseName): Promise<Draft> {
    const held = await load(this.#parts.store, keys.draft(release), draftForm);
    if (held === undefined) throw absent(release);
    return requireSameCase(release, held.value);
  }

  /** Changes the draft as `change` does; `next` gets it only if it is of this very version. */
  async change(release: ReleaseName, next: (draft: Draft | undefined) => Draft): Promise<Draft> {
    return change(this.#parts.store, keys.draft(release), draftForm, (draft) =>
      next(draft && requireSameCase(release, draft)),
    );
  }

  /** The draft, its content open to change; a sealed one becomes a new revision. */
  async reopen(caller: Caller, release: ReleaseName): Promise<DraftIn<'draft'>> {
    const draft = await this.change(release, (current) => {
      if (current === undefined) throw absent(release);
      if (current.state === 'draft') return pushedBy(caller, current);
      if (current.state === 'sealed') return pushedBy(caller, nextRevision(current));
      throw closed(current);
    });
    return draft as DraftIn<'draft'>;
  }

  /** The draft as its people see it. `seal` is how its seal goes, if one runs or failed here. */
  async status(caller: Caller, draft: Draft, seal: DraftStatus['seal']): Promise<DraftStatus> {
    const judged = await this.#judged(caller, draft);
    if (draft.state === 'sealed' && isGivenUp(judged.missing)) {
      return this.status(caller, await this.#giveUp(draft), seal);
    }
    const { state, revision, former } = draft;
    const release = parseReleaseName(draft.release);
    const digest = sealedDigest(draft);
    return {
      release,
      state,
      revision,
      former,
      ...judged,
      ...(digest !== undefined && { digest }),
      ...('index' in draft && { index: draft.index }),
      ...(state === 'draft' && seal !== undefined && { seal }),
    };
  }

  /** What is missing and what was decided, by the policy in force. */
  async #judged(
    caller: Caller,
    draft: Draft,
  ): Promise<Pick<DraftStatus, 'missing' | 'decisions' | 'passedOver' | 'policyIndex'>> {
    const { namespace } = parseReleaseName(draft.release);
    const place = this.#book.present();
    if (draft.state === 'sealed') {
      // Naming the digest is part of publishing; here the question is what else there is to do.
      const asked = { named: draft.digest, roles: rolesOf(caller) };
      const judged = await this.#gatekeeper.judge(inStore(this.#parts), draft, place, asked);
      const { verdict, policy, docket } = judged;
      const missing = verdict.ok ? [] : missingTo(caller, verdict.missing);
      return {
        missing,
        decisions: shownTo(caller, docket),
        passedOver: rolesOf(caller).length > 0 ? judged.passedOver() : [],
        policyIndex: policy.index,
      };
    }
    const standing = await this.#book.open(await this.#namespaces.get(namespace));
    const docket = await this.#gatekeeper.docket(inStore(this.#parts), standing, draft);
    return {
      missing: draft.state === 'draft' ? [unsealed(draft)] : [],
      decisions: shownTo(caller, docket),
      passedOver: [],
      policyIndex: inForceAt(standing, place).index,
    };
  }

  /** A published version is never pushed again, whatever became of its draft. */
  async #refusePublished(release: ReleaseName): Promise<void> {
    if ((await this.#parts.store.size(keys.release(release))) === undefined) return;
    throw alreadyPublished(formatReleaseName(release));
  }
}

/** The decisions, for those who may make some. */
function shownTo(caller: Caller, { disclosed }: ReadDocket): ShownDecision[] {
  return rolesOf(caller).length > 0 ? disclosed.map(shown) : [];
}

/** What is missing because somebody decided something; its message says who, and why. */
const DECIDED: readonly Need[] = ['evaluation', 'objection', 'hold', 'postponed', 'withdrawn'];

/** What is missing, without people’s words for those who may say none: CI jobs and uploads. */
function missingTo(caller: Caller, missing: readonly Missing[]): readonly Missing[] {
  if (rolesOf(caller).length > 0) return missing;
  const message = 'the people of the namespace see why';
  return missing.map((lack) =>
    DECIDED.includes(lack.need) ? { ...lack, message, waitsFor: [] } : lack,
  );
}

function unsealed({ release }: Draft): Missing {
  const message = 'the draft is not sealed';
  const satisfiedBy = `weighhouse seal ${release}`;
  return { need: 'seal', message, waitsFor: ['publisher'], satisfiedBy };
}

/** The roles of the caller that a policy knows. */
export function rolesOf(caller: Caller): Role[] {
  return caller.roles.filter((role) => role !== 'operator');
}

export function alreadyPublished(release: string): CodedError {
  return new CodedError(
    'already-published',
    `${release} is published, and a published version never changes; choose another version`,
    { release },
  );
}

function begin({ subject }: Caller, release: ReleaseName): Draft {
  const name = formatReleaseName(release);
  const pushers = [subject];
  return { v: 1, generation: 0, release: name, state: 'draft', revision: 1, former: [], pushers };
}

/** Notes who pushes: nobody approves what they pushed. */
function pushedBy<D extends Draft>({ subject }: Caller, draft: D): D {
  const { pushers } = draft;
  if (pushers.includes(subject)) return draft;
  return { ...draft, pushers: [...pushers, subject].sort(compareCodePoints) };
}

/** Its pushers stay: what they pushed is in the next revision, too, unless somebody replaces it. */
function nextRevision(sealed: DraftIn<'sealed'>): DraftIn<'draft'> {
  const { digest, former, revision, ...rest } = sealed;
  if (revision === MAX_REVISIONS) {
    throw new CodedError(
      'too-large',
      `${rest.release} was sealed ${MAX_REVISIONS} times; choose another version`,
    );
  }
  return { ...rest, state: 'draft', revision: revision + 1, former: [...former, digest] };
}

/** Why the content of this draft can no longer change. */
function closed(draft: Draft): CodedError {
  const { release, state } = draft;
  if (state === 'published') return alreadyPublished(release);
  const why =
    state === 'publishing'
      ? 'is being published; wait for it'
      : 'was withdrawn; choose another version';
  return new CodedError('conflict', `${release} ${why}`, { release, state });
}

function absent(release: ReleaseName): CodedError {
  return new CodedError('not-found', `there is no draft of ${formatReleaseName(release)}`);
}

/** Versions are unique after lower-casing. */
function requireSameCase(release: ReleaseName, draft: Draft): Draft {
  if (draft.release === formatReleaseName(release)) return draft;
  throw new CodedError(
    'conflict',
    `${formatReleaseName(release)} differs in case alone from ${draft.release}, which is there`,
    { release: draft.release },
  );
}
