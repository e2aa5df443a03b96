import type { Digest } from '../../core/digest.ts';
import { CodedError, type ErrorCode, isCoded, messageOf } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { formatCanonical } from '../../core/json.ts';
import type { HashingPool } from '../../hashing/pool.ts';
import type { Damages } from '../../registry/damages.ts';
import { bindingForm, makeBinding } from '../../registry/documents/content.ts';
import type { DamageRecord, DueBy } from '../../registry/documents/damage.ts';
import { fileForm, isStored } from '../../registry/documents/file.ts';
import { load } from '../../registry/documents/form.ts';
import type { Store } from '../../store/contract.ts';
import { type Key, keys } from '../../store/keys.ts';
import { readBasis } from '../basis.ts';
import { check } from '../check/check.ts';
import type { CheckParts } from '../check/parts.ts';
import { type Kind, kindOf } from '../kinds.ts';
import { Pace } from '../pace.ts';
import { type ContentRepair, canRepairContent, type Made, repairContent } from './content.ts';
import { Documents, type Found } from './documents.ts';
import { pathDigest } from './path-digest.ts';
import { rebuild } from './rebuild.ts';
import type { RepairSource } from './source.ts';

export interface RepairParts {
  readonly store: Store;
  readonly host: Host;
  readonly hashing: Pick<HashingPool, 'hashFile' | 'hashBytes'>;
  readonly damages: Damages;
  readonly sources: readonly RepairSource[];
  /** 32 fresh hex digits. */
  readonly random: () => string;
  readonly signal: AbortSignal;
  /** Say what could be done, and do nothing. */
  readonly dryRun: boolean;
  readonly onObject?: ((done: number, total: number, object: Key) => void) | undefined;
}

/**
 * - `repaired`: it is whole again; `repairable`: it would be, but nothing was to be done
 * - `whole`: it was, before anything was done
 * - `lost`: neither the log nor a source has what it takes
 */
export type Outcome = 'repaired' | 'repairable' | 'whole' | 'lost';

export interface RepairedObject extends Made {
  readonly object: Key;
  readonly kind: Kind | 'unknown';
  readonly outcome: Outcome;
  /** Why it is lost. */
  readonly detail?: string;
}

export interface RepairReport {
  readonly objects: readonly RepairedObject[];
  /** Objects that are damaged still. */
  readonly left: number;
}

/** What others rest on comes before them. */
const ORDER: readonly (Kind | 'unknown')[] = [
  ...(['damaged', 'root', 'lock', 'checkpoint', 'tile', 'release', 'revision', 'label'] as const),
  ...(['announcement', 'voided', 'skeleton', 'statement', 'report', 'decision'] as const),
  ...(['signature', 'artifacts', 'artifactObject'] as const),
  ...(['namespace', 'roots', 'heads', 'chunks', 'digest', 'blob'] as const),
];

/** Kinds that `swap` makes; all others are created once. */
const SWAPPED: ReadonlySet<Kind | 'unknown'> = new Set([
  ...(['checkpoint', 'lock', 'roots', 'namespace', 'heads'] as const),
  ...([
    'draft',
    'draftFile',
    'sealing',
    'quota',
    'publishers',
    'twins',
    'damaged',
    'scrub',
  ] as const),
]);

/** Errors of a repair that was stopped, or of a source that did not answer: the object may not be lost at all. */
const SAYS_NOTHING: ReadonlySet<ErrorCode> = new Set([
  ...(['interrupted', 'network', 'overloaded', 'rate-limited', 'not-authorised'] as const),
]);

const NOTHING: Made = { from: [], fetched: 0 };
const FROM_LOG: Made = { from: ['the log'], fetched: 0 };

export class Repair {
  readonly #parts: RepairParts;
  #documents: Documents;

  constructor(parts: RepairParts) {
    this.#parts = parts;
    this.#documents = new Documents(parts.sources, []);
  }

  async run(): Promise<RepairReport> {
    const { damages, onObject } = this.#parts;
    const records = await this.#records();
    this.#documents = new Documents(this.#parts.sources, records);
    const objects: RepairedObject[] = [];
    for (const [done, { object, record }] of records.entries()) {
      onObject?.(done, records.length, object);
      objects.push(await this.#repair(object, record));
    }
    onObject?.(records.length, records.length, records.at(-1)?.object ?? keys.checkpoint());
    await damages.refresh();
    return { objects, left: damages.count };
  }

  async #records() {
    const records: { readonly object: Key; readonly record?: DamageRecord }[] = [];
    for await (const each of this.#parts.damages.records()) records.push(each);
    return records.sort(
      (a, b) => rank(a.object) - rank(b.object) || (a.object < b.object ? -1 : 1),
    );
  }

  async #repair(object: Key, record: DamageRecord | undefined): Promise<RepairedObject> {
    const kind = kindOf(object) ?? 'unknown';
    const answer = (outcome: Outcome, made: Made = NOTHING, detail?: string): RepairedObject => {
      return { object, kind, outcome, ...made, ...(detail !== undefined && { detail }) };
    };
    if (record === undefined) {
      return answer('lost', NOTHING, 'the note of its damage cannot be read; scrub again');
    }
    try {
      const parts = await this.#checkParts();
      const problem = await check(parts, object, record.due);
      if (problem === undefined) {
        if (!this.#parts.dryRun) await this.#parts.damages.clear(object);
        return answer('whole');
      }
      const made =
        problem.right !== undefined
          ? await this.#write(object, { bytes: problem.right, made: FROM_LOG })
          : await this.#restore(parts, object, record);
      if (made === undefined) return answer('lost', NOTHING, problem.detail);
      if (this.#parts.dryRun) return answer('repairable', made);
      return await this.#conclude(object, record, made, answer);
    } catch (error) {
      if (!isCoded(error) || SAYS_NOTHING.has(error.code)) throw error;
      return answer('lost', NOTHING, messageOf(error));
    }
  }

  /** Content lies under another key by now; anything else must pass the check that it failed. */
  async #conclude(
    object: Key,
    record: DamageRecord,
    made: Made,
    answer: (outcome: Outcome, made?: Made, detail?: string) => RepairedObject,
  ): Promise<RepairedObject> {
    const { due } = record;
    const isMoved = due.by === 'content';
    const problem = isMoved ? undefined : await check(await this.#checkParts(), object, due);
    if (problem !== undefined) return answer('lost', NOTHING, problem.detail);
    await this.#parts.damages.clear(object);
    // A manifest that can be read again names more files, an entry more of all.
    this.#documents.forget();
    return answer('repaired', made);
  }

  /** The log as it can be read with the help of the sources: every repair may change that. */
  async #checkParts(): Promise<CheckParts> {
    const { store, host, sources, signal } = this.#parts;
    const tiles = sources.flatMap(({ tile }) => tile ?? []);
    const basis = await readBasis(store, host, tiles);
    return { ...this.#parts, ...basis, pace: new Pace({ signal }) };
  }

  /** Undefined when nothing has what it takes. */
  async #restore(parts: CheckParts, object: Key, { due }: DamageRecord): Promise<Made | undefined> {
    switch (due.by) {
      case 'content':
        return this.#content(await this.#contentRepair(parts, due.sha256), object, due);
      case 'binding':
        return this.#binding(parts, object, due);
      case 'digest':
        return this.#write(object, await this.#documents.statement(parts, object, due.digest));
      case 'chunks':
        return this.#write(object, await this.#documents.chunkList(parts, due));
      case 'root':
        return this.#write(object, await this.#documents.root(parts, due.version));
      case 'signature':
        return this.#write(object, await this.#documents.checkpoint(parts, object));
      case 'log': {
        const bytes = await rebuild(parts, object);
        return this.#write(object, bytes && { bytes, made: FROM_LOG });
      }
      case 'opening':
        return this.#write(object, await this.#documents.opening(parts, due));
      case 'bundle':
        return this.#write(object, await this.#documents.modelSig(parts, due.index));
      case 'form':
        return this.#write(object, markOf(object));
      case 'artifacts':
      case 'bytes':
      case 'entry':
      case 'tree':
        return undefined;
    }
  }

  /** Writes what is known to be right; in a dry run, only says that it is there. */
  async #write(object: Key, found: Found | undefined): Promise<Made | undefined> {
    const { store, dryRun } = this.#parts;
    if (found === undefined || dryRun) return found?.made;
    if (SWAPPED.has(kindOf(object) ?? 'unknown')) {
      // Never absent for a moment: a namespace that is not there could be begun again.
      const stat = await store.stat(object);
      const version = await store.swap(object, stat?.version ?? null, found.bytes);
      if (version !== undefined) return found.made;
      throw new CodedError('conflict', `${object} was written by somebody else meanwhile`);
    }
    // What was written once is what it is named by: whoever makes it makes the same.
    await store.delete(object);
    await store.create(object, found.bytes);
    return found.made;
  }

  // ------------------------------------------------------------------ content

  async #content(
    repair: ContentRepair,
    object: Key,
    due: DueBy<'content'>,
  ): Promise<Made | undefined> {
    return this.#parts.dryRun
      ? canRepairContent(repair, object, due)
      : repairContent(repair, object, due);
  }

  async #contentRepair(parts: CheckParts, sha256: Digest): Promise<ContentRepair> {
    const places = await this.#documents.places(parts);
    return { ...this.#parts, parts, places: places.files.get(sha256) ?? [] };
  }

  /** Where the bytes are is in the drafts that were published; else they are fetched anew. */
  async #binding(
    parts: CheckParts,
    object: Key,
    { sha256, size, chunks }: DueBy<'binding'>,
  ): Promise<Made | undefined> {
    const due = { by: 'content', sha256, size, chunks } as const;
    const repair = await this.#contentRepair(parts, sha256);
    for (const { release, file } of repair.places) {
      const key = keys.draftFile(release, pathDigest(parts.host, file.path));
      const held = await load(parts.store, key, fileForm).catch(() => undefined);
      if (!isStored(held?.value)) continue;
      const { blob } = held.value.content;
      if ((await check(parts, keys.blob(blob), due)) !== undefined) continue;
      const binding = makeBinding(parts.host, sha256, { blob, size, chunks });
      const bytes = bindingForm.format(binding);
      return this.#write(object, { bytes, made: { from: ['the draft'], fetched: 0 } });
    }
    return this.#content(repair, keys.blob(this.#parts.random()), due);
  }
}

function rank(object: Key): number {
  const at = ORDER.indexOf(kindOf(object) ?? 'unknown');
  return at < 0 ? ORDER.length : at;
}

/** What a document says by being there. */
function markOf(object: Key): Found | undefined {
  if (kindOf(object) !== 'revoked') return undefined;
  const bytes = formatCanonical({ v: 1, revoked: new Date(0).toISOString() });
  return { bytes, made: { from: ['its name'], fetched: 0 } };
}
