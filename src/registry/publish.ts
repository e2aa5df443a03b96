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
import { inParallel } from '../core/parallel.ts';
import { parseManifest } from '../core/release/manifest.ts';
import type { Missing } from '../core/release/missing.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../core/release/name.ts';
import { PUBLISHING, type Role } from '../core/release/roles.ts';
import { type Key, keys, prefixes } from '../store/keys.ts';
import { requireRole } from './access.ts';
import type { Chores } from './chores.ts';
import { Contents } from './content.ts';
import type { Draft, DraftIn, Intent } from './documents/draft.ts';
import { load } from './documents/form.ts';
import { markerForm, releaseForm } from './documents/release.ts';
import { alreadyPublished, type Drafts, rolesOf } from './drafts.ts';
import { type Gatekeeper, gateUnmet } from './gatekeeper.ts';
import { openSignedIntent, requireInPlace, writeGrounds } from './grounds.ts';
import { makeIntent } from './intent.ts';
import type { RegistryParts } from './parts.ts';
import { inStore, type PolicyBook } from './policy-book.ts';
import { isOvertaken, judgeIntended, publishItem } from './publish-item.ts';
import type { Caller, PublishResult } from './registry.ts';
import type { RegistrySeals } from './registry-seal.ts';
import { isEndedKey, presentReleaseKey } from './release-key.ts';
import { Statements } from './statements.ts';

/** With these the guard refuses for good; after any other failure the publish can be carried on. */
const REFUSALS: readonly ErrorCode[] = ['gate-unmet', 'conflict', 'already-published'];
/** Claims that are written at the same time. */
const PARALLEL = 16;

/** Attempts of one publish while decisions are being made about it. */
const TRIES = 5;

/** The other use cases that a publish is made of. */
interface Rooms {
  readonly drafts: Drafts;
  readonly book: PolicyBook;
  readonly gatekeeper: Gatekeeper;
  readonly seals: RegistrySeals;
  readonly chores: Chores;
}

/** What the publisher asks for. */
interface Wish {
  readonly named: Digest | undefined;
  readonly roles: readonly Role[];
  /** Of a manager's signed intent. */
  readonly envelope: Uint8Array | undefined;
}

export class Publishing {
  readonly #parts: RegistryParts;
  readonly #drafts: Drafts;
  readonly #rooms: Rooms;
  readonly #chores: Chores;
  readonly #contents: Contents;
  readonly #statements: Statements;

  constructor(parts: RegistryParts, rooms: Rooms) {
    this.#parts = parts;
    this.#rooms = rooms;
    this.#drafts = rooms.drafts;
    this.#chores = rooms.chores;
    this.#contents = new Contents(parts);
    this.#statements = new Statements(parts);
  }

  /** Publishes the sealed digest that `named` names. Asked twice, it answers twice the same. */
  async publish(
    caller: Caller,
    release: ReleaseName,
    named: Digest | undefined,
    envelope?: Uint8Array,
  ): Promise<PublishResult> {
    requireRole(caller, release.namespace, PUBLISHING);
    const wish = { named, roles: rolesOf(caller), envelope };
    for (let tries = 1; ; ) {
      const draft = await this.#drafts.get(release);
      if (draft.state === 'published') return this.#again(draft, named);
      const intended = await this.#intend(release, draft, wish);
      // The draft went on meanwhile: look again.
      if (intended === undefined) continue;
      try {
        return await this.#carryOut(release, intended);
      } catch (error) {
        // Sealed again, and what was signed forgotten: the key that may will sign it anew, and
        // a decision that came between is brought before the gate with the others. What somebody
        // else began long ago may be refused where the wish of today is not.
        const joined = draft.state === 'publishing' && isRefusal(error);
        const again = joined || isOvertaken(error);
        if (!isEndedKey(error) && !(again && tries++ < TRIES)) throw error;
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
    wish: Wish,
  ): Promise<DraftIn<'publishing'> | undefined> {
    if (draft.state === 'publishing') return this.#join(draft, wish);
    if (draft.state !== 'sealed') throw unsealed(draft);
    await this.#rooms.seals.finish(draft);
    const intent = await this.#makeIntent(release, draft, wish);
    await this.#mark(release, draft.generation);
    const changed = await this.#drafts.change(release, (current) =>
      current?.state === 'sealed' && current.generation === draft.generation
        ? { ...current, state: 'publishing', intent }
        : current!,
    );
    return changed.state === 'publishing' ? changed : undefined;
  }

  /**
   * Somebody is publishing it already, or began to and was killed. Whoever may ask for the same
   * carries that on; the guard judges the rest, and if it refuses, the draft is sealed again.
   */
  async #join(draft: DraftIn<'publishing'>, wish: Wish): Promise<DraftIn<'publishing'>> {
    const { index } = this.#rooms.book.present();
    const { intent } = draft;
    const asked = { ...draft, intent: { ...intent, roles: [...wish.roles] } };
    const from = inStore(this.#parts);
    const judged = await judgeIntended(this.#parts, this.#rooms, from, asked, index, wish.named);
    const missing = judged.verdict.ok ? [] : judged.verdict.missing;
    const theirs = missing.filter(({ need }) => need === 'role' || need === 'digest');
    if (theirs.length > 0) throw gateUnmet(theirs);
    return draft;
  }

  /** Asks the gate and signs what it clears. Throws `gate-unmet` with what is missing. */
  async #makeIntent(
    { namespace }: ReleaseName,
    draft: DraftIn<'sealed'>,
    { named, roles, envelope }: Wish,
  ): Promise<Intent> {
    const { book, gatekeeper } = this.#rooms;
    const from = inStore(this.#parts);
    const place = book.present();
    const standing = await book.read(from, namespace);
    const signed =
      envelope && (await openSignedIntent(this.#parts.host, standing, place, envelope));
    const asked = { named, roles, ...(signed && { intent: signed.opened }) };
    const judged = await gatekeeper.judge(from, draft, place, asked);
    if (!judged.verdict.ok) throw gateUnmet(judged.verdict.missing);
    if (signed !== undefined) await requireInPlace(this.#parts, place, judged.docket, signed);
    const key = presentReleaseKey(this.#parts);
    const { time } = place;
    const grounds = await writeGrounds(this.#parts, key, draft, judged, time, signed);
    return makeIntent(this.#parts, key, judged.verdict.clearance, { roles, time, grounds });
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
    const item = publishItem(this.#parts, this.#rooms, release, draft);
    try {
      const { index, size } = await this.#parts.log.append(item);
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
      await inParallel(files, PARALLEL, (file) =>
        this.#contents.claimForAll(release.namespace, file.sha256),
      );
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
