/**
 * Publishing: the one irreversible step. `sealed → publishing → published`.
 *
 *     gate      the policy is asked; what it clears, and nothing else, can be published
 *     intent    the signatures are made and the leaves written into the draft
 *     commit    the two leaves enter the log together, with everything that they make true
 *     finish    the draft is published; from the intent on anybody can do the rest
 *
 * The guard runs inside the commit, against the very tree that the leaves will extend: so
 * whatever was logged before wins, and a release is logged once, however many ask for it.
 * If it refuses, the draft is sealed again as if nothing had been.
 */
import type { Digest } from '../core/digest.ts';
import { CodedError, type ErrorCode, isCoded } from '../core/error.ts';
import type { EntryOf } from '../core/log/entry.ts';
import { growHead } from '../core/log/grow-head.ts';
import { inParallel } from '../core/parallel.ts';
import {
  type Clearance,
  type GateRequest,
  NOTHING_DECIDED,
  passGate,
} from '../core/release/gate.ts';
import { parseManifest } from '../core/release/manifest.ts';
import type { Missing } from '../core/release/missing.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../core/release/name.ts';
import type { Role } from '../core/release/roles.ts';
import type { Item, StagedDocument, View } from '../log/item.ts';
import { type Key, keys, prefixes } from '../store/keys.ts';
import { PUBLISHING, requireRole } from './access.ts';
import type { Chores } from './chores.ts';
import { Contents } from './content.ts';
import { type Draft, type DraftIn, draftForm } from './documents/draft.ts';
import { load } from './documents/form.ts';
import { type NamespaceRecord, namespaceForm } from './documents/namespace.ts';
import { markerForm, type ReleaseRecord, releaseForm, revisionForm } from './documents/release.ts';
import { alreadyPublished, type Drafts, rolesOf } from './drafts.ts';
import { type Leaves, makeIntent, openIntent } from './intent.ts';
import type { Namespaces } from './namespaces.ts';
import type { RegistryParts } from './parts.ts';
import type { Caller, PublishResult } from './registry.ts';
import { isEndedKey, requireReleaseKey } from './release-key.ts';
import { Statements } from './statements.ts';

/** With these the guard refuses for good; after any other failure the publish can be carried on. */
const REFUSALS: readonly ErrorCode[] = ['gate-unmet', 'conflict', 'already-published'];
/** Claims that are written at the same time. */
const PARALLEL = 16;

export class Publishing {
  readonly #parts: RegistryParts;
  readonly #drafts: Drafts;
  readonly #namespaces: Namespaces;
  readonly #chores: Chores;
  readonly #contents: Contents;
  readonly #statements: Statements;

  constructor(parts: RegistryParts, drafts: Drafts, namespaces: Namespaces, chores: Chores) {
    this.#parts = parts;
    this.#drafts = drafts;
    this.#namespaces = namespaces;
    this.#chores = chores;
    this.#contents = new Contents(parts);
    this.#statements = new Statements(parts);
  }

  /** Publishes the sealed digest that `named` names. Asked twice, it answers twice the same. */
  async publish(
    caller: Caller,
    release: ReleaseName,
    named: Digest | undefined,
  ): Promise<PublishResult> {
    requireRole(caller, release.namespace, PUBLISHING);
    for (;;) {
      const draft = await this.#drafts.get(release);
      if (draft.state === 'published') return this.#again(draft, named);
      const intended = await this.#intend(release, draft, named, rolesOf(caller));
      // The draft went on meanwhile: look again.
      if (intended === undefined) continue;
      try {
        return await this.#carryOut(release, intended);
      } catch (error) {
        // Sealed again, and what was signed forgotten: the key that may will sign it anew.
        if (!isEndedKey(error)) throw error;
      }
    }
  }

  /** Carries on, or abandons, the publish that a marker speaks of (`recovery.ts`). */
  async resume(key: Key): Promise<void> {
    const marker = await load(this.#parts.store, key, markerForm);
    if (marker === undefined) return;
    const release = parseReleaseName(marker.value.release);
    const draft = await this.#drafts.get(release);
    if (draft.state === 'published') return this.#tidy(release, draft.digest);
    if (draft.state !== 'publishing') return this.#unmark(release);
    try {
      await this.#carryOut(release, draft);
    } catch (error) {
      // The guard refused: the draft is sealed again, and its publisher will ask again.
      if (!isRefusal(error)) throw error;
    }
  }

  async #again(draft: DraftIn<'published'>, named: Digest | undefined): Promise<PublishResult> {
    if (named === draft.digest) return this.#resultOf(draft);
    throw alreadyPublished(draft.release);
  }

  // ------------------------------------------------------------------ gate and intent

  /** Writes the intent into the draft, or finds it there; undefined when the draft went on meanwhile. */
  async #intend(
    release: ReleaseName,
    draft: Draft,
    named: Digest | undefined,
    roles: readonly Role[],
  ): Promise<DraftIn<'publishing'> | undefined> {
    if (draft.state !== 'sealed' && draft.state !== 'publishing') throw unsealed(draft);
    const clearance = await this.#clear(release.namespace, draft, { named, roles });
    if (draft.state === 'publishing') return draft;

    const intent = await makeIntent(this.#parts, clearance, roles);
    await this.#mark(release, draft.generation);
    const changed = await this.#drafts.change(release, (current) =>
      current?.state === 'sealed' && current.generation === draft.generation
        ? { ...current, state: 'publishing', intent }
        : current!,
    );
    return changed.state === 'publishing' ? changed : undefined;
  }

  /** Asks the gate. Throws `gate-unmet` with what is missing. */
  async #clear(
    namespace: ReleaseName['namespace'],
    draft: DraftIn<'sealed' | 'publishing'>,
    asked: Pick<GateRequest, 'named' | 'roles'>,
  ): Promise<Clearance> {
    return this.#pass(await this.#namespaces.get(namespace), draft, asked);
  }

  async #pass(
    record: NamespaceRecord,
    { release, revision, digest }: DraftIn<'sealed' | 'publishing'>,
    asked: Pick<GateRequest, 'named' | 'roles'>,
  ): Promise<Clearance> {
    const policy = await this.#namespaces.policyOf(record);
    const verdict = passGate({
      ...NOTHING_DECIDED,
      policy,
      policyIndex: record.head.policy,
      release,
      revision,
      sealed: digest,
      time: new Date(this.#parts.clock()).toISOString(),
      ...asked,
    });
    if (verdict.ok) return verdict.clearance;
    const { missing } = verdict;
    throw new CodedError('gate-unmet', missing.map(({ message }) => message).join('; '), {
      missing,
    });
  }

  /** Leaves word for the next start, before the draft says that it is being published. */
  async #mark(release: ReleaseName, generation: number): Promise<void> {
    const marker = { v: 1, release: formatReleaseName(release), generation } as const;
    await this.#parts.store.create(keys.intent(release, generation), markerForm.format(marker));
  }

  /** Takes back the word of attempts that can come to nothing any more. */
  async #unmark(release: ReleaseName): Promise<void> {
    const { store } = this.#parts;
    const { state, generation } = await this.#drafts.get(release);
    if (state === 'publishing') return;
    const isFinal = state === 'published' || state === 'withdrawn';
    for await (const key of store.list(prefixes.intentsOf(release))) {
      const marker = await load(store, key, markerForm);
      // One of this very generation may be about to write its intent.
      const isOver = isFinal || (marker !== undefined && marker.value.generation < generation);
      if (isOver) await store.delete(key);
    }
  }

  // ------------------------------------------------------------------ commit

  async #carryOut(release: ReleaseName, draft: DraftIn<'publishing'>): Promise<PublishResult> {
    const leaves = openIntent(draft.intent);
    try {
      const { index, size } = await this.#parts.log.append(this.#item(release, draft, leaves));
      return await this.#finish(release, draft, index, size);
    } catch (error) {
      const logged = await load(this.#parts.store, keys.release(release), releaseForm);
      if (logged?.value.digest === draft.digest) {
        const { index } = logged.value;
        return this.#finish(release, draft, index, await this.#sizeWith(index));
      }
      if (isRefusal(error)) await this.#abandon(release, draft);
      throw error;
    }
  }

  #item(release: ReleaseName, draft: DraftIn<'publishing'>, { entry, bytes, spki }: Leaves): Item {
    return {
      entries: bytes,
      guard: async (view) => {
        await this.#guard(view, release, draft, entry);
        await requireReleaseKey(this.#parts, view, spki);
      },
      documents: (view) => documentsOf(view, release, entry),
    };
  }

  /** What must still hold at the commit. */
  async #guard(
    view: View,
    release: ReleaseName,
    draft: DraftIn<'publishing'>,
    entry: EntryOf<'release'>,
  ): Promise<void> {
    if ((await view.document(keys.release(release))) !== undefined) {
      throw alreadyPublished(entry.release);
    }
    const current = draftForm.parse((await view.document(keys.draft(release)))!);
    if (current.state !== 'publishing' || current.intent.entry !== draft.intent.entry) {
      throw new CodedError('conflict', `${entry.release} is no longer sealed as it was`);
    }
    const record = await readNamespace(view, release);
    if (record.head.policy !== entry.policy) {
      throw new CodedError('conflict', `the policy of ${release.namespace} changed; publish again`);
    }
    const { roles } = draft.intent;
    await this.#pass(record, current, { named: entry.digest, roles });
    await requireFreeRevision(view, release, entry);
  }

  // ------------------------------------------------------------------ finish

  async #finish(
    release: ReleaseName,
    { intent }: DraftIn<'publishing'>,
    index: number,
    size: number,
  ): Promise<PublishResult> {
    const draft = await this.#drafts.change(release, (current) => {
      if (current?.state !== 'publishing' || current.intent.entry !== intent.entry) return current!;
      const { intent: _, ...rest } = current;
      return { ...rest, state: 'published', index, size };
    });
    if (draft.state !== 'published') {
      throw new CodedError(
        'internal',
        `${draft.release} is logged, but its draft is ${draft.state}`,
      );
    }
    this.#tidy(release, draft.digest);
    return this.#resultOf(draft);
  }

  /** Back to sealed: nothing was logged, and nothing will be from this intent. */
  async #abandon(release: ReleaseName, { intent }: DraftIn<'publishing'>): Promise<void> {
    await this.#drafts.change(release, (current) => {
      if (current?.state !== 'publishing' || current.intent.entry !== intent.entry) return current!;
      const { intent: _, ...rest } = current;
      return { ...rest, state: 'sealed' };
    });
    this.#chores.begin(() => this.#unmark(release));
  }

  /** Notes that everybody may name these files now, then takes the word for the next start back. */
  #tidy(release: ReleaseName, digest: Digest): void {
    this.#chores.begin(async () => {
      const { files } = parseManifest(await this.#statements.get(digest));
      await inParallel(files, PARALLEL, (file) => this.#contents.claimForAll(file.sha256));
      await this.#unmark(release);
    });
  }

  async #resultOf(draft: DraftIn<'published'>): Promise<PublishResult> {
    const { index, size, digest } = draft;
    const published = (await this.#publishedSize()) >= size;
    return { release: parseReleaseName(draft.release), digest, index, size, published };
  }

  /** A tree that holds the release at `index`: the public one, unless that still waits for witnesses. */
  async #sizeWith(index: number): Promise<number> {
    return Math.max(await this.#publishedSize(), index + 2);
  }

  async #publishedSize(): Promise<number> {
    return (await this.#parts.reader.published()).size;
  }
}

async function documentsOf(
  view: View,
  release: ReleaseName,
  entry: EntryOf<'release'>,
): Promise<StagedDocument[]> {
  const { index } = view;
  const { kind: _, ...said } = entry;
  const published: ReleaseRecord = { ...said, index };
  const before = await readNamespace(view, release);
  const after = { ...before, index, head: growHead(before.head, entry, index) };
  const { digest } = entry;
  return [
    { kind: 'immutable', key: keys.release(release), bytes: releaseForm.format(published) },
    {
      kind: 'immutable',
      key: keys.revision(release, digest),
      bytes: revisionForm.format({ v: 1, release: entry.release, digest }),
    },
    {
      kind: 'newest',
      key: keys.namespace(release.namespace),
      index,
      bytes: namespaceForm.format(after),
    },
  ];
}

async function readNamespace(view: View, release: ReleaseName): Promise<NamespaceRecord> {
  return namespaceForm.parse((await view.document(keys.namespace(release.namespace)))!);
}

/** The first 40 digits of a digest are a revision to Hugging Face clients: it must mean one release. */
async function requireFreeRevision(
  view: View,
  release: ReleaseName,
  { digest }: EntryOf<'release'>,
): Promise<void> {
  if ((await view.document(keys.revision(release, digest))) === undefined) return;
  throw new CodedError(
    'conflict',
    `${digest} begins like the digest of another release; push anew`,
  );
}

function isRefusal(error: unknown): boolean {
  return isCoded(error) && REFUSALS.includes(error.code);
}

function unsealed({ release, state }: Draft): CodedError {
  if (state === 'withdrawn') {
    return new CodedError('conflict', `${release} was withdrawn; choose another version`);
  }
  const message = `${release} is not sealed`;
  const satisfiedBy = `weighhouse seal ${release}`;
  const missing: Missing[] = [{ need: 'seal', message, waitsFor: ['publisher'], satisfiedBy }];
  return new CodedError('gate-unmet', `${release} is not sealed; push it first`, { missing });
}
