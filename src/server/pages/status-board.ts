/**
 * How the server stands, as far as it is anybody's business. Each part is looked at for a second
 * at most and beside all others, so that a store that does not answer leaves the rest readable;
 * and all of it is kept for a moment, so that many who ask cost no more than one.
 */

import { formatCount } from '../../core/amounts.ts';
import { atMost } from '../../core/at-most.ts';
import { utf8 } from '../../core/bytes.ts';
import type { TreeHead } from '../../core/log/checkpoint.ts';
import { meetsQuorum, parseTlogPolicy } from '../../core/log/tlog-policy.ts';
import { cosignatureVerifier, openCosignatures } from '../../core/note/cosignature.ts';
import { SIGNATURE_TYPE } from '../../core/note/key.ts';
import { parseNote } from '../../core/note/note.ts';
import { parseRoot, type RootDocument } from '../../core/trust/root.ts';
import { nodeHost } from '../../hashing/host.ts';
import type { FollowingCatalogue } from '../../index/open.ts';
import type { LogReader } from '../../log/reader.ts';
import { publicRootVersion } from '../../registry/roots.ts';
import type { Store } from '../../store/contract.ts';
import { keys } from '../../store/keys.ts';
import { parsedOrNot, timeOf } from './log-entries.ts';

/** Milliseconds that a part may take. */
const PATIENCE_MS = 1_000;
/** Milliseconds for which what was found is shown. */
const KEPT_MS = 1_000;
/** Entries at the end of the log, of which one says when it was logged. */
const NEWEST = 4;

/** The newest pass of the scrub through the store. */
export interface ScrubPass {
  /** From 1. */
  readonly pass: number;
  readonly begun: string;
  /** Absent while it goes on. */
  readonly ended?: string;
}

/** A witness that clients look for, and when it has cosigned the checkpoint. */
export interface WitnessStanding {
  readonly name: string;
  readonly time: string | undefined;
}

/** What could not be found out in time is undefined. */
export interface Standing {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly checkpoint: (TreeHead & { readonly newest: string | undefined }) | undefined;
  /** Entries in the index; undefined while it is being built. */
  readonly indexed: number | undefined;
  readonly root: Pick<RootDocument, 'version' | 'issued' | 'expires' | 'maxAge'> | undefined;
  /** Undefined where the trust root names none, too. */
  readonly witnesses:
    | { readonly all: readonly WitnessStanding[]; readonly met: boolean }
    | undefined;
  readonly takesWrites: boolean | undefined;
  readonly damaged: number | undefined;
  readonly scrub: ScrubPass | 'never' | undefined;
}

export interface StatusParts {
  readonly log: LogReader;
  readonly store: Store;
  readonly catalogue: FollowingCatalogue;
  readonly clock: () => number;
  /** Why the server takes no writes; undefined when it does. */
  readonly unready: () => Promise<string | undefined>;
  readonly isLeaving: () => boolean;
  readonly damaged?: () => Promise<number>;
  /** How far the scrub is; undefined for never begun. */
  readonly scrubbed?: () => Promise<ScrubPass | undefined>;
}

export class StatusBoard {
  readonly #parts: StatusParts;
  #found: Promise<Standing> | undefined;
  #foundAt = Number.NEGATIVE_INFINITY;

  constructor(parts: StatusParts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  standing(): Promise<Standing> {
    const now = this.#parts.clock();
    if (this.#found === undefined || Math.abs(now - this.#foundAt) >= KEPT_MS) {
      this.#foundAt = now;
      this.#found = this.#look(now);
    }
    return this.#found;
  }

  async #look(at: number): Promise<Standing> {
    const { catalogue, unready, isLeaving, damaged, scrubbed } = this.#parts;
    const [checkpoint, root, reason, count, scrub] = await Promise.all([
      inTime(() => this.#checkpoint()),
      inTime(() => this.#root()),
      inTime(async () => ({ reason: await unready() })),
      damaged && inTime(damaged),
      scrubbed && inTime(async () => (await scrubbed()) ?? 'never'),
    ]);
    return {
      at,
      checkpoint,
      indexed: catalogue.isBuilding ? undefined : catalogue.size(),
      root,
      witnesses: checkpoint && root && witnessesOf(root, checkpoint.note),
      takesWrites: isLeaving() ? false : reason && reason.reason === undefined,
      damaged: count,
      scrub,
    };
  }

  async #checkpoint() {
    const { log } = this.#parts;
    const { size, root, note } = await log.published();
    const last = size === 0 ? [] : await log.entries(Math.max(0, size - NEWEST), size);
    const times = last.map((bytes) => timeOf({ parsed: parsedOrNot(bytes) }));
    return { size, root, note, newest: times.findLast((time) => time !== undefined) };
  }

  async #root(): Promise<RootDocument | undefined> {
    const { store, log } = this.#parts;
    const stored = await store.get(keys.root(await publicRootVersion(store, log)));
    return stored && parseRoot(nodeHost, stored.bytes).document;
  }
}

/** What `look` comes to; undefined when it fails, or takes too long. */
async function inTime<T>(look: () => Promise<T>): Promise<T | undefined> {
  return atMost(
    PATIENCE_MS,
    look().catch(() => undefined),
  );
}

/** Which witnesses clients look for, by the trust root, and which of them stand on the checkpoint. */
function witnessesOf({ witnessPolicy }: RootDocument, bytes: Uint8Array): Standing['witnesses'] {
  if (witnessPolicy === undefined) return undefined;
  const policy = parseTlogPolicy(nodeHost, utf8(witnessPolicy));
  const known = policy.witnesses.filter(({ key }) => key.type === SIGNATURE_TYPE.cosignature);
  const verifiers = known.map(({ key }) => cosignatureVerifier(key));
  const opened = openCosignatures(parseNote(bytes), verifiers);
  const cosigned = opened.ok ? opened.cosignatures : [];
  const all = policy.witnesses.map(({ name, key }) => {
    const by = cosigned.find((each) => each.name === key.name && each.id === key.id);
    return { name, time: by && new Date(by.time * 1000).toISOString() };
  });
  const names = all.filter(({ time }) => time !== undefined).map(({ name }) => name);
  return { all, met: meetsQuorum(policy, new Set(names)) };
}

/** What is not as it should be, each in a sentence; what is not known counts as that, too. */
export function concernsOf(standing: Standing): string[] {
  const { at, checkpoint, indexed, root, witnesses, takesWrites, damaged } = standing;
  const age = checkpoint?.newest && (at - Date.parse(checkpoint.newest)) / 1000;
  const concerns: readonly (readonly [boolean, string])[] = [
    [checkpoint === undefined, 'The log’s store has not answered within a second.'],
    [
      typeof age === 'number' && root !== undefined && age > root.maxAge,
      'The log has been silent for so long that clients refuse it as stale.',
    ],
    [
      indexed === undefined,
      'The index is being built: lists and search answer nothing until it is there.',
    ],
    [witnesses?.met === false, 'Too few witnesses have cosigned the checkpoint.'],
    [takesWrites !== true, 'This server takes no writes now; what is published can be read.'],
    [
      damaged !== undefined && damaged > 0,
      `${formatCount(damaged ?? 0, 'object')} of the store ${damaged === 1 ? 'is' : 'are'} damaged and not served until repaired.`,
    ],
    [
      root !== undefined && Date.parse(root.expires) <= at,
      'The trust root has expired: clients refuse the registry until it is renewed.',
    ],
  ];
  return concerns.flatMap(([isSo, sentence]) => (isSo ? [sentence] : []));
}
