/**
 * Drafts: a version before it is published. `documents/draft.ts` shows its states.
 *
 * Opening a draft that is sealed changes nothing: whoever pushes the same files again gets
 * the same digest, and the decisions on it stay. The first change of content reopens it: a
 * new revision begins, the sealed digest joins `former`, and decisions on it are void.
 */
import { CodedError } from '../core/error.ts';
import { NOTHING_DECIDED, passGate } from '../core/release/gate.ts';
import { MAX_REVISIONS } from '../core/release/manifest.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../core/release/name.ts';
import type { Role } from '../core/release/roles.ts';
import { keys } from '../store/keys.ts';
import { PUBLISHING, requireDraftReader, requireRole, requireUploader } from './access.ts';
import { type Draft, type DraftIn, draftForm } from './documents/draft.ts';
import { change, load } from './documents/form.ts';
import type { Namespaces } from './namespaces.ts';
import type { RegistryParts } from './parts.ts';
import type { Caller, DraftStatus } from './registry.ts';
import { Statements } from './statements.ts';

export class Drafts {
  readonly #parts: RegistryParts;
  readonly #namespaces: Namespaces;
  readonly #statements: Statements;

  constructor(parts: RegistryParts, namespaces: Namespaces) {
    this.#parts = parts;
    this.#namespaces = namespaces;
    this.#statements = new Statements(parts);
  }

  /** Opens a draft, or goes on with the one that is there; an upload session renews itself so. */
  async open(caller: Caller, release: ReleaseName): Promise<Draft> {
    requireUploader(caller, release);
    await this.#namespaces.get(release.namespace);
    await this.#refusePublished(release);
    return this.change(release, (draft) => {
      if (draft === undefined) return begin(release);
      if (draft.state === 'draft' || draft.state === 'sealed') return draft;
      throw closed(draft);
    });
  }

  /** The manifest of a sealed draft, exact bytes. */
  async manifest(caller: Caller, release: ReleaseName): Promise<Uint8Array> {
    requireDraftReader(caller, release);
    const draft = await this.get(release);
    if ('digest' in draft) return this.#statements.get(draft.digest);
    throw new CodedError('not-found', `${draft.release} is not sealed`);
  }

  /** Withdraws a draft for good: its version is not used again. */
  async withdraw(caller: Caller, release: ReleaseName): Promise<Draft> {
    requireRole(caller, release.namespace, PUBLISHING);
    return this.change(release, (draft) => {
      if (draft === undefined) throw absent(release);
      if (draft.state === 'withdrawn') return draft;
      if (draft.state === 'publishing' || draft.state === 'published') throw closed(draft);
      const { v, generation, release: name, revision, former } = draft;
      return { v, generation, release: name, revision, former, state: 'withdrawn' };
    });
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
  async reopen(release: ReleaseName): Promise<DraftIn<'draft'>> {
    const draft = await this.change(release, (current) => {
      if (current === undefined) throw absent(release);
      if (current.state === 'draft') return current;
      if (current.state === 'sealed') return nextRevision(current);
      throw closed(current);
    });
    return draft as DraftIn<'draft'>;
  }

  /** The draft as its people see it. `seal` is how its seal goes, if one runs or failed here. */
  async status(caller: Caller, draft: Draft, seal: DraftStatus['seal']): Promise<DraftStatus> {
    const { state, revision, former } = draft;
    const release = parseReleaseName(draft.release);
    return {
      release,
      state,
      revision,
      former,
      missing: await this.#missing(caller, release, draft),
      decisions: [],
      policyIndex: (await this.#namespaces.get(release.namespace)).head.policy,
      ...('digest' in draft && { digest: draft.digest }),
      ...('index' in draft && { index: draft.index }),
      ...(state === 'draft' && seal !== undefined && { seal }),
    };
  }

  async #missing(
    caller: Caller,
    release: ReleaseName,
    draft: Draft,
  ): Promise<DraftStatus['missing']> {
    if (draft.state === 'draft') {
      const message = 'the draft is not sealed';
      const satisfiedBy = `weighhouse seal ${draft.release}`;
      return [{ need: 'seal', message, waitsFor: ['publisher'], satisfiedBy }];
    }
    if (draft.state !== 'sealed') return [];
    const record = await this.#namespaces.get(release.namespace);
    const verdict = passGate({
      policy: await this.#namespaces.policyOf(record),
      policyIndex: record.head.policy,
      ...NOTHING_DECIDED,
      release: draft.release,
      revision: draft.revision,
      time: new Date(this.#parts.clock()).toISOString(),
      sealed: draft.digest,
      // Naming the digest is part of publishing; here the question is what else there is to do.
      named: draft.digest,
      roles: rolesOf(caller),
    });
    return verdict.ok ? [] : verdict.missing;
  }

  /** A published version is never pushed again, whatever became of its draft. */
  async #refusePublished(release: ReleaseName): Promise<void> {
    if ((await this.#parts.store.size(keys.release(release))) === undefined) return;
    throw alreadyPublished(formatReleaseName(release));
  }
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

function begin(release: ReleaseName): Draft {
  const name = formatReleaseName(release);
  return { v: 1, generation: 0, release: name, state: 'draft', revision: 1, former: [] };
}

function nextRevision(sealed: DraftIn<'sealed'>): Draft {
  const { v, generation, release, revision, former, digest } = sealed;
  if (revision === MAX_REVISIONS) {
    throw new CodedError(
      'too-large',
      `${release} was sealed ${MAX_REVISIONS} times; choose another version`,
    );
  }
  return {
    v,
    generation,
    release,
    state: 'draft',
    revision: revision + 1,
    former: [...former, digest],
  };
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
