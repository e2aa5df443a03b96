/**
 * The registry's own decision about a draft of a gated namespace: when it was sealed, and who
 * had pushed it. Auditors measure the minimum age by it, and find nobody approving their own
 * work. It is committed like everybody's.
 *
 * What opens it is stored before it is committed, so a crash in between loses nothing. A marker
 * that is older than the sealed draft sends the next start there (`recovery.ts`); a status, a
 * decision or a publish that comes first does the same.
 */
import { compareCodePoints, concat, formatBase64, formatHex, parseBase64 } from '../core/bytes.ts';
import { type Digest, digestOf, formatDigest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { type Commitment, decisionLabel, makeCommitment } from '../core/release/commitment.ts';
import { parseReleaseName, type ReleaseName } from '../core/release/name.ts';
import { formatDecision, MAX_PUSHERS } from '../core/statement/decision.ts';
import { formatEnvelope, toSign } from '../core/statement/dsse.ts';
import { IN_TOTO_PAYLOAD_TYPE } from '../core/statement/in-toto.ts';
import { type Key, keys } from '../store/keys.ts';
import type { Chores } from './chores.ts';
import type { Commitments } from './commitments.ts';
import {
  type DecisionRecord,
  decisionForm,
  labelForm,
  MAX_TWINS,
  type TwinsRecord,
  twinsForm,
  unloggedForm,
} from './documents/decision.ts';
import { type Draft, type DraftIn, draftForm } from './documents/draft.ts';
import { change, load } from './documents/form.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { RegistryParts, ReleaseKey } from './parts.ts';
import { inStore, type PolicyBook } from './policy-book.ts';
import { isEndedKey, presentReleaseKey, requireReleaseKey } from './release-key.ts';

/** A seal is true for ever; ten years is as long as anything of a release waits. */
const LASTS = 10 * 366 * 24 * 3600 * 1000;
/** Characters of a pusher's name that are shown. */
const MAX_NAME = 128;
/** Digests that are known to be settled. */
const KEPT = 10_000;

type Sealed = DraftIn<'sealed' | 'publishing'>;

/** The other use cases that a seal is made of. */
interface Rooms {
  readonly book: PolicyBook;
  readonly gatekeeper: Gatekeeper;
  readonly commitments: Commitments;
  readonly chores: Chores;
}

export class RegistrySeals {
  readonly #parts: RegistryParts;
  readonly #rooms: Rooms;
  readonly #settled = new Set<Digest>();

  constructor(parts: RegistryParts, rooms: Rooms) {
    this.#parts = parts;
    this.#rooms = rooms;
  }

  /** Leaves word for the next start, before the draft says that it is sealed. */
  async mark({ release, revision }: DraftIn<'draft'>): Promise<void> {
    const name = parseReleaseName(release);
    if (!(await this.#isGated(name))) return;
    const marker = unloggedForm.format({ v: 1, release, revision });
    await this.#parts.store.create(keys.unlogged(name, revision), marker);
  }

  /** Logs the seal that a marker speaks of, if there is one (`recovery.ts`). */
  async resume(key: Key): Promise<void> {
    const { store } = this.#parts;
    const marker = await load(store, key, unloggedForm);
    if (marker === undefined) return;
    const { release, revision } = marker.value;
    const draft = await load(store, keys.draft(parseReleaseName(release)), draftForm);
    if (draft?.value.revision === revision) {
      // Somebody may be about to seal it; that seal goes on by itself, or is asked for again.
      if (draft.value.state === 'draft') return;
      await this.finish(draft.value);
    }
    await store.delete(key);
  }

  /** Sees to it that the seal of a sealed draft is logged, where its namespace was ever gated. */
  async finish(draft: Draft): Promise<void> {
    if (draft.state !== 'sealed' && draft.state !== 'publishing') return;
    if (this.#settled.has(draft.digest)) return;
    const name = parseReleaseName(draft.release);
    if (!(await this.#isGated(name))) return;
    await this.#noteTwin(draft);
    while ((await this.loggedAt(draft.digest)) === undefined) await this.#log(draft);
    this.#rooms.chores.begin(() => this.#parts.store.delete(keys.unlogged(name, draft.revision)));
    this.#settled.add(draft.digest);
    if (this.#settled.size > KEPT) this.#settled.delete(this.#settled.values().next().value!);
  }

  /** Was the namespace ever gated? Of others nothing is decided. */
  async #isGated({ namespace }: ReleaseName): Promise<boolean> {
    return (await this.#rooms.book.read(inStore(this.#parts), namespace)).gated;
  }

  /** So that an objection to these bytes is found, whichever draft it was made on. */
  async #noteTwin({ release, digest }: Sealed): Promise<void> {
    const { namespace } = parseReleaseName(release);
    const key = keys.twins(namespace, await this.#rooms.gatekeeper.rootOf(digest));
    await change<TwinsRecord>(this.#parts.store, key, twinsForm, (twins) => {
      if (twins?.digests.includes(digest)) return twins;
      const digests = [...(twins?.digests ?? []), digest];
      if (digests.length <= MAX_TWINS) return { v: 1, generation: 0, ...twins, digests };
      throw new CodedError('too-large', `${release}: these bytes were sealed ${MAX_TWINS} times`);
    });
  }

  /** Where the log has the seal of that digest, by whichever release key: one that has ended may have sealed it. */
  async loggedAt(digest: Digest): Promise<number | undefined> {
    const { host, store, keys: ours } = this.#parts;
    const labels = ours.releaseKeys().map((spki) => decisionLabel(host, digest, spki, 0));
    const found = await Promise.all(labels.map((it) => load(store, keys.label(it), labelForm)));
    return found.find((it) => it !== undefined)?.value.index;
  }

  async #log(draft: Sealed): Promise<void> {
    const key = presentReleaseKey(this.#parts);
    const commitment = await this.#stored(draft, key);
    try {
      await this.#rooms.commitments.append(commitment, (view) =>
        requireReleaseKey(this.#parts, view, key.spki),
      );
    } catch (error) {
      // The key that may will sign it anew.
      if (!isEndedKey(error)) throw error;
    }
  }

  /** Signs the seal and stores what opens it, or finds that done; the commitment to log. */
  async #stored(draft: Sealed, key: ReleaseKey): Promise<Commitment> {
    const { host, store } = this.#parts;
    const label = decisionLabel(host, draft.digest, key.spki, 0);
    const at = keys.decision(label);
    if ((await store.size(at)) === undefined) {
      const salt = this.#draw32();
      const envelope = formatBase64(await this.#sign(draft, key));
      await store.create(at, decisionForm.format({ v: 1, label, salt, envelope }));
    }
    // Of two that do this at the same time, one has stored it.
    const { value } = (await load<DecisionRecord>(store, at, decisionForm))!;
    const envelope = digestOf(host, parseBase64(value.envelope));
    const { digest } = draft;
    return makeCommitment(host, { digest, spki: key.spki, n: 0, salt: value.salt, envelope });
  }

  async #sign(
    { release, revision, digest, pushers }: Sealed,
    key: ReleaseKey,
  ): Promise<Uint8Array> {
    const { origin, clock, reader } = this.#parts;
    const now = clock();
    const { size, root } = await reader.published();
    const payload = formatDecision({
      decision: 'seal',
      digest,
      pushers: namesOf(pushers),
      context: {
        origin,
        release,
        revision,
        n: 0,
        previous: null,
        checkpoint: { size, root: formatDigest(root) },
        time: new Date(now).toISOString(),
        expires: new Date(now + LASTS).toISOString(),
        nonce: this.#draw32(),
      },
    });
    const signature = await key.sign(toSign(IN_TOTO_PAYLOAD_TYPE, payload));
    return formatEnvelope(IN_TOTO_PAYLOAD_TYPE, payload, signature);
  }

  /** 32 random bytes in hex. */
  #draw32(): string {
    const { random } = this.#parts;
    return formatHex(concat(random().subarray(0, 16), random().subarray(0, 16)));
  }
}

/** Subjects of tokens as a statement can hold them: short, on one line, in order, each once. */
function namesOf(pushers: readonly string[]): string[] {
  const names = pushers.map(
    (each) => each.replace(/[\x00-\x1f\x7f]/g, '?').slice(0, MAX_NAME) || '?',
  );
  return [...new Set(names)].sort(compareCodePoints).slice(0, MAX_PUSHERS);
}
