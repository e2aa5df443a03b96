/** One unit of a pass, on its lease: walked through, every object looked at, marks left behind. */
import { BoundedMap } from '../core/bounded-map.ts';
import { isCoded, messageOf } from '../core/error.ts';
import type { Damages } from '../registry/damages.ts';
import type { DamageRecord } from '../registry/documents/damage.ts';
import type { Store } from '../store/contract.ts';
import { type Key, keys } from '../store/keys.ts';
import type { Basis } from './basis.ts';
import { check, confirm } from './check/check.ts';
import type { CheckParts, Problem } from './check/parts.ts';
import { type Claimed, type Done, LEASE_MS, type Passes, type Unit, unitsOf } from './pass.ts';
import type { PassRecord } from './pass-form.ts';
import { interrupted } from './stop.ts';
import { walkContent } from './walk/content.ts';
import { walkDrafts } from './walk/drafts.ts';
import { walkLog } from './walk/log.ts';
import { walkPrivate } from './walk/private.ts';
import { isMark, type Obligation, type Walk } from './walk/step.ts';
import { walkTrust } from './walk/trust.ts';

/** Objects that are looked at at the same time; the hashing pool bounds the work. */
const PARALLEL = 16;
/** Milliseconds between finding something wrong and looking at it again. */
const CONFIRM_MS = 1_000;
/** Objects that are remembered to have been looked at: many releases name the same few. */
const REMEMBERED = 20_000;

export interface UnitParts extends Omit<CheckParts, 'log' | 'trust'> {
  readonly damages: Damages;
  readonly passes: Passes;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onObject: (unit: Unit, number: number, total: number) => void;
  /** Told of each object that was found damaged, and of each that is whole again. */
  readonly onFound: (object: Key, record: DamageRecord | undefined) => void;
}

/** One unit on its lease. */
export class UnitRun {
  readonly #parts: UnitParts;
  readonly #claimed: Claimed;
  readonly #total: number;
  readonly #seen = new BoundedMap<Key, true>(REMEMBERED);
  #known: ReadonlySet<Key> = new Set();
  #after: string;
  #isLost = false;
  #told: Done = { objects: 0, bytes: 0, damaged: 0 };
  #objects = 0;
  #damaged = 0;
  #bytesBefore: number;

  constructor(parts: UnitParts, claimed: Claimed) {
    this.#parts = parts;
    this.#claimed = claimed;
    this.#total = unitsOf(claimed.pass.size).length;
    this.#after = claimed.after;
    this.#bytesBefore = parts.pace.bytes;
  }

  async run(basis: Basis): Promise<void> {
    const { passes, damages, signal } = this.#parts;
    this.#known = await damages.known();
    const renewing = setInterval(() => this.#renew(), LEASE_MS / 3).unref();
    const parts: CheckParts = { ...this.#parts, ...basis, signal };
    try {
      await this.#walk(parts);
    } catch (error) {
      // Whoever comes next need not wait until the lease has run out.
      await passes.leave(this.#claimed, this.#after, this.#done()).catch(() => {});
      throw error;
    } finally {
      clearInterval(renewing);
    }
    if (!this.#isLost) await passes.finish(this.#claimed, this.#done());
  }

  async #walk(parts: CheckParts): Promise<void> {
    const lanes = new ObjectLanes();
    try {
      for await (const step of this.#steps(parts)) {
        if (parts.signal.aborted) throw interrupted(parts.signal);
        if (this.#isLost) return;
        if (isMark(step)) {
          await lanes.end();
          this.#after = step.after;
          continue;
        }
        if (this.#seen.get(step.key) !== undefined) continue;
        this.#seen.set(step.key, true);
        await lanes.begin(() => this.#examine(parts, step));
      }
      await lanes.end();
    } finally {
      await lanes.settle();
    }
  }

  #steps(parts: CheckParts): Walk {
    const { unit, after, pass } = this.#claimed;
    switch (unit.phase) {
      case 'trust':
        return walkTrust(parts);
      case 'log':
        return walkLog(parts, Math.max(unit.from, Number(after)), unit.to);
      case 'public':
        return walkContent(parts, 'public', unit.from, unit.to, after);
      case 'sealed':
        return walkContent(parts, 'private', unit.from, unit.to, after);
      case 'drafts':
        return walkDrafts(parts);
      case 'private':
        return walkPrivate(parts);
      case 'notes':
        return walkNotes(this.#parts.damages, pass);
    }
  }

  async #examine(parts: CheckParts, { key, due, optional }: Obligation): Promise<void> {
    let found = await ask(parts, () => check(parts, key, due));
    if (isAbsent(found, optional)) found = undefined;
    if (found !== undefined && found !== 'unknown') {
      const first = found;
      await this.#parts.sleep(CONFIRM_MS, parts.signal);
      found = await ask(parts, () => confirm(parts, key, due, first));
      if (isAbsent(found, optional)) found = undefined;
    }
    this.#objects++;
    this.#parts.onObject(this.#claimed.unit, this.#claimed.number, this.#total);
    if (found === 'unknown') return;
    const { damages, onFound } = this.#parts;
    if (found !== undefined) {
      this.#damaged++;
      const { right: _, ...problem } = found;
      onFound(key, await damages.record(key, { due, ...problem }));
    } else if (this.#known.has(key)) {
      await damages.clear(key);
      onFound(key, undefined);
    }
  }

  #renew(): void {
    this.#parts.passes.renew(this.#claimed, this.#after, this.#done()).then(
      (isOurs) => {
        this.#isLost ||= !isOurs;
      },
      // The store does not answer: what works on it will say so.
      () => {},
    );
  }

  /** What was done since it was told last. */
  #done(): Done {
    const bytes = this.#parts.pace.bytes - this.#bytesBefore;
    const { objects, bytes: toldBytes, damaged } = this.#told;
    this.#told = { objects: this.#objects, bytes, damaged: this.#damaged };
    return {
      objects: this.#objects - objects,
      bytes: bytes - toldBytes,
      damaged: this.#damaged - damaged,
    };
  }
}

/** So many at a time; the first failure is thrown to whoever begins or ends. */
class ObjectLanes {
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  async begin(act: () => Promise<void>): Promise<void> {
    while (this.#running.size >= PARALLEL) await Promise.race(this.#running);
    this.#throw();
    const running = act()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async end(): Promise<void> {
    await this.settle();
    this.#throw();
  }

  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #throw(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/**
 * What was found damaged before this pass, and was not met in it: the object may be whole
 * again, or nobody may name it any more.
 */
async function* walkNotes(damages: Damages, { begun }: PassRecord): Walk {
  for await (const { object, record } of damages.records()) {
    if (record === undefined || record.seen >= begun) continue;
    const isOptional = record.due.by === 'form' || record.due.by === 'content';
    yield { key: object, due: record.due, ...(isOptional && { optional: true as const }) };
  }
}

/**
 * The answer of a check; `unknown` where something else that is damaged stands in its way. An
 * object that a store which answers otherwise cannot give is unreadable.
 */
async function ask(
  { store }: Pick<CheckParts, 'store'>,
  act: () => Promise<Problem | undefined>,
): Promise<Problem | undefined | 'unknown'> {
  try {
    return await act();
  } catch (error) {
    if (isCoded(error, 'damaged')) return 'unknown';
    if (!isCoded(error, 'storage') || !(await answers(store))) throw error;
    return { problem: 'unreadable', detail: messageOf(error) };
  }
}

/** Does the store answer at all? */
async function answers(store: Store): Promise<boolean> {
  try {
    await store.size(keys.root(1));
    return true;
  } catch {
    return false;
  }
}

function isAbsent(found: Problem | undefined | 'unknown', optional: true | undefined): boolean {
  return optional === true && typeof found === 'object' && found.problem === 'missing';
}
