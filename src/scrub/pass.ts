/** A pass through the store, shared by all who scrub it (`pass-form.ts`). */
import { CodedError } from '../core/error.ts';
import { TILE_WIDTH } from '../core/log/tile.ts';
import { load } from '../registry/documents/form.ts';
import type { Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import { type Lease, MAX_LEASES, type PassRecord, passForm } from './pass-form.ts';

/** Milliseconds that a lease is good for; its holder renews it three times as often. */
export const LEASE_MS = 60_000;
/** A lease that ends later than any could was given by a clock that is wrong. */
const MAX_LEASE_MS = 10 * LEASE_MS;
/** Bundles of one unit: 16,384 entries. */
const UNIT_BUNDLES = 64;
/** Units that content is cut into, by the first byte of its digests. */
const CONTENT_UNITS = 16;

export type Unit =
  | { readonly phase: 'trust' | 'drafts' | 'private' | 'notes' }
  | { readonly phase: 'log'; readonly from: number; readonly to: number }
  | { readonly phase: 'public' | 'sealed'; readonly from: number; readonly to: number };

/** What was done since it was told last. */
export interface Done {
  readonly objects: number;
  readonly bytes: number;
  readonly damaged: number;
}

export interface Claimed {
  readonly unit: Unit;
  readonly number: number;
  /** Where whoever held it before was. */
  readonly after: string;
  readonly pass: PassRecord;
}

/** The units of a pass, in order: what is public comes first. */
export function unitsOf(size: number): readonly Unit[] {
  const bundles = Math.ceil(size / TILE_WIDTH);
  const log: Unit[] = [];
  for (let from = 0; from < bundles; from += UNIT_BUNDLES) {
    log.push({ phase: 'log', from, to: Math.min(bundles, from + UNIT_BUNDLES) });
  }
  return [
    { phase: 'trust' },
    ...log,
    ...contentUnits('public'),
    { phase: 'drafts' },
    ...contentUnits('sealed'),
    { phase: 'private' },
    { phase: 'notes' },
  ];
}

export interface PassOptions {
  readonly store: Store;
  /** 32 hex digits, this process's own. */
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

export class Passes {
  readonly #options: PassOptions;

  constructor(options: PassOptions) {
    this.#options = options;
  }

  /** The pass that runs, or ran last; undefined before the first. A damaged one counts as none. */
  async read(): Promise<PassRecord | undefined> {
    return (await this.#load())?.value;
  }

  /**
   * Begins a pass over a log of `size` entries unless one is under way; with `fresh`, in the
   * place of it. Whoever works on that one finds its lease gone.
   */
  async begin(size: number, fresh: boolean): Promise<PassRecord> {
    return this.#change((current) => {
      if (current !== undefined && current.ended === undefined && !fresh) return current;
      const begun = new Date(this.#options.clock()).toISOString();
      const sums = { objects: 0, bytes: 0, damaged: 0 };
      const pass = (current?.pass ?? 0) + 1;
      return { v: 1, generation: 0, pass, begun, size, next: 0, leases: [], ...sums };
    });
  }

  /** Takes the next unit of the pass; `wait` while others work on the last ones, `ended` after that. */
  async claim(number: number): Promise<Claimed | 'wait' | 'ended'> {
    const { holder } = this.#options;
    let claimed: Claimed | 'wait' | 'ended' = 'ended';
    await this.#change((current) => {
      claimed = 'ended';
      if (current?.pass !== number || current.ended !== undefined) return current;
      const units = unitsOf(current.size);
      const now = Math.floor(this.#options.clock());
      const stale = current.leases.find((lease) => isOver(lease, now));
      const unit = stale?.unit ?? current.next;
      if (stale === undefined && (unit >= units.length || current.leases.length >= MAX_LEASES)) {
        claimed = current.leases.length > 0 ? 'wait' : 'ended';
        return claimed === 'wait' ? current : this.#ended(current);
      }
      const after = stale?.after ?? '';
      const lease: Lease = { unit, holder, until: now + LEASE_MS, after };
      const others = current.leases.filter((each) => each !== stale);
      const next = stale === undefined ? unit + 1 : current.next;
      const pass = { ...current, next, leases: [...others, lease] };
      claimed = { unit: units[unit]!, number: unit, after, pass };
      return pass;
    });
    return claimed;
  }

  /** Says how far a unit is; false when it is another's by now, and is to be left. */
  async renew({ number, pass }: Claimed, after: string, done: Done): Promise<boolean> {
    return this.#settle(pass.pass, number, done, (lease) => {
      return { ...lease, after, until: Math.floor(this.#options.clock()) + LEASE_MS };
    });
  }

  /** The unit is done. */
  async finish({ number, pass }: Claimed, done: Done): Promise<boolean> {
    return this.#settle(pass.pass, number, done, () => undefined);
  }

  /** Leaves a unit to whoever comes next, from `after` on. */
  async leave({ number, pass }: Claimed, after: string, done: Done): Promise<boolean> {
    return this.#settle(pass.pass, number, done, (lease) => ({ ...lease, after, until: 0 }));
  }

  async #settle(
    pass: number,
    unit: number,
    done: Done,
    next: (lease: Lease) => Lease | undefined,
  ): Promise<boolean> {
    const { holder } = this.#options;
    let isOurs = false;
    await this.#change((current) => {
      const lease = current?.leases.find((each) => each.unit === unit && each.holder === holder);
      isOurs = current?.pass === pass && lease !== undefined;
      if (!isOurs) return current;
      const kept = next(lease!);
      const others = current!.leases.filter((each) => each !== lease);
      return {
        ...current!,
        leases: kept === undefined ? others : [...others, kept],
        objects: current!.objects + done.objects,
        bytes: current!.bytes + done.bytes,
        damaged: current!.damaged + done.damaged,
      };
    });
    return isOurs;
  }

  #ended(pass: PassRecord): PassRecord {
    return { ...pass, ended: new Date(this.#options.clock()).toISOString() };
  }

  /** As `change` of documents, but that a damaged state is begun anew: it is nobody's truth. */
  async #change(
    next: (current: PassRecord | undefined) => PassRecord | undefined,
  ): Promise<PassRecord> {
    const { store } = this.#options;
    for (;;) {
      const held = await this.#load();
      const wanted = next(held?.value);
      if (wanted === undefined) throw new CodedError('conflict', 'there is no scrub to go on with');
      if (wanted === held?.value) return wanted;
      const changed = { ...wanted, generation: (held?.value.generation ?? 0) + 1 };
      const bytes = passForm.format(changed);
      const version = await store.swap(keys.scrub(), held?.version ?? null, bytes);
      if (version !== undefined) return changed;
    }
  }

  async #load() {
    const { store } = this.#options;
    try {
      return await load(store, keys.scrub(), passForm);
    } catch (error) {
      if (!isDamage(error)) throw error;
      await store.delete(keys.scrub());
      return undefined;
    }
  }
}

function isOver({ until }: Lease, now: number): boolean {
  return until <= now || until > now + MAX_LEASE_MS;
}

/** The document is there and is not one; not that the store did not answer. */
function isDamage(error: unknown): boolean {
  if (!(error instanceof CodedError) || error.code !== 'storage') return false;
  return 'where' in error.details || error.details.damaged === true;
}

function contentUnits(phase: 'public' | 'sealed'): Unit[] {
  const width = 256 / CONTENT_UNITS;
  return Array.from({ length: CONTENT_UNITS }, (_, i) => {
    return { phase, from: i * width, to: (i + 1) * width };
  });
}
