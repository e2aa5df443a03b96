/**
 * Quotas: what the drafts and releases of a namespace may take up in all. The operator sets
 * one for a namespace, or one for all that have none of their own; without either nothing is
 * counted. `documents/quota.ts` says what counts; docs/adr/0011 why.
 *
 * Declared sizes count at once, before a byte is sent. A declaration first takes its size, and
 * then writes the file's document: a crash between leaves too much counted, never too little,
 * and is set right before it makes anybody be refused (`quota-repair.ts`).
 */
import { formatHex } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { formatReleaseName, type Namespace, type ReleaseName } from '../core/release/name.ts';
import type { Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import type { Chores } from './chores.ts';
import { change, load } from './documents/form.ts';
import {
  type Amount,
  type DraftUse,
  type Limits,
  NOTHING,
  plus,
  type QuotaRecord,
  quotaForm,
  usedOf,
} from './documents/quota.ts';
import type { RegistryParts } from './parts.ts';
import { type AccountOptions, QuotaAccount, type Reservation } from './quota-account.ts';
import { countNamespace } from './quota-count.ts';
import { repairQuota } from './quota-repair.ts';

export type { Amount, Limits } from './documents/quota.ts';

/** Namespaces whose account is kept while nothing is done in them. */
const KEPT_ACCOUNTS = 1_000;
/** Bytes of the random name of a process. */
const SERVER_BYTES = 16;

/** What a namespace takes up, and may. */
export interface Usage {
  /** Empty for one without limits. */
  readonly limits: Limits;
  /** Published and not; what is set aside for uploads under way is in `setAside`. */
  readonly used: Amount;
  readonly published: Amount;
  readonly setAside: Amount;
  /** Drafts that are neither published nor withdrawn. */
  readonly drafts: number;
}

export class Quotas {
  readonly #options: Omit<AccountOptions, 'namespace'>;
  readonly #chores: Chores;
  readonly #accounts = new Map<Namespace, QuotaAccount>();

  constructor(parts: Pick<RegistryParts, 'store' | 'clock' | 'random' | 'quota'>, chores: Chores) {
    const { store, clock, quota: defaults } = parts;
    const server = formatHex(parts.random().subarray(0, SERVER_BYTES));
    this.#options = { store, clock, server, defaults };
    this.#chores = chores;
  }

  /**
   * Counts a draft that is about to begin, or looks whether all that is going to be declared in
   * it (`plan`) can fit at all. Rejects with `quota-exceeded`.
   */
  async open(release: ReleaseName, begins: boolean, plan: Amount | undefined): Promise<void> {
    if (!begins && plan === undefined) return;
    const draft = formatReleaseName(release);
    const want = { draft, amount: NOTHING, for: begins ? 'begin' : 'look', plan } as const;
    const taken = await this.#account(release.namespace).reserve(want);
    taken.end('done', NOTHING);
  }

  /** Takes `amount` for a file of the draft. Rejects with `quota-exceeded`. */
  async reserve(release: ReleaseName, amount: Amount): Promise<Reservation> {
    const want = { draft: formatReleaseName(release), amount, for: 'file' } as const;
    return this.#account(release.namespace).reserve(want);
  }

  /** The draft was published or withdrawn: it leaves the open ones soon. */
  settle(release: ReleaseName): void {
    const { store, clock } = this.#options;
    const { namespace } = release;
    const only = formatReleaseName(release);
    this.#chores.begin(() => repairQuota({ store, namespace, now: clock(), only }));
  }

  /** What the namespace takes up; undefined where nothing is counted. */
  async usage(namespace: Namespace): Promise<Usage | undefined> {
    const { store, defaults } = this.#options;
    return usageOf(store, namespace, defaults);
  }

  async close(): Promise<void> {
    const closing = [...this.#accounts.values()].map((account) => account.close());
    await Promise.allSettled(closing);
  }

  #account(namespace: Namespace): QuotaAccount {
    const known = this.#accounts.get(namespace);
    if (known !== undefined) return known;
    for (const [name, account] of this.#accounts) {
      if (this.#accounts.size < KEPT_ACCOUNTS) break;
      if (account.isIdle) this.#accounts.delete(name);
    }
    const account = new QuotaAccount({ ...this.#options, namespace });
    this.#accounts.set(namespace, account);
    return account;
  }
}

// ------------------------------------------------------------- what the operator does

/** What the namespace takes up, as it was counted; undefined where nothing is counted. */
export async function usageOf(
  store: Store,
  namespace: Namespace,
  defaults?: Limits,
): Promise<Usage | undefined> {
  const record = (await load(store, keys.quota(namespace), quotaForm))?.value;
  if (record === undefined && defaults === undefined) return undefined;
  const { limits = defaults ?? {}, settled, drafts } = record ?? EMPTY;
  const uses = Object.values(drafts);
  const setAside = uses
    .flatMap(({ grants }) => Object.values(grants))
    .reduce<Amount>((sum, { files, bytes }) => plus(sum, { files, bytes }), NOTHING);
  const all = usedOf({ ...(record ?? EMPTY) });
  const used = { files: all.files - setAside.files, bytes: all.bytes - setAside.bytes };
  return { limits, used, published: settled, setAside, drafts: uses.length };
}

const EMPTY: QuotaRecord = { v: 1, generation: 0, settled: NOTHING, drafts: {} };

/**
 * Sets the limits of a namespace, empty ones for none at all; the servers follow within half a
 * minute. The first time all that it takes up is counted. Throws `not-found` without the namespace.
 */
export async function setQuota(
  store: Store,
  namespace: Namespace,
  limits: Limits,
  now: number,
): Promise<void> {
  if ((await store.size(keys.namespace(namespace))) === undefined) {
    throw new CodedError('not-found', `there is no namespace ${namespace}`);
  }
  const isThere = (await store.size(keys.quota(namespace))) !== undefined;
  const counted = isThere ? EMPTY : await countNamespace(store, namespace);
  await change(store, keys.quota(namespace), quotaForm, (current) => {
    if (current !== undefined) return { ...current, limits };
    return { ...EMPTY, limits, settled: counted.settled, drafts: unsettled(counted.drafts, now) };
  });
}

/**
 * A server may have begun a file without a quota, and written it after it was counted: until a
 * grant would be stale the drafts are as if worked on, and then they are counted once more.
 */
function unsettled(drafts: QuotaRecord['drafts'], now: number): QuotaRecord['drafts'] {
  const counted = ([name, use]: [string, DraftUse]) =>
    [name, { ...use, drift: true, grants: { counted: { ...NOTHING, at: now } } }] as const;
  return Object.fromEntries(Object.entries(drafts).map(counted));
}

/** Counts all that can be counted anew. Throws `not-found` for a namespace without a quota. */
export async function recountQuota(store: Store, namespace: Namespace, now: number): Promise<void> {
  if ((await store.size(keys.quota(namespace))) === undefined) {
    throw new CodedError('not-found', `nothing is counted of ${namespace}: it has no quota`);
  }
  await repairQuota({ store, namespace, now, all: true });
}
