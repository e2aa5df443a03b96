/**
 * Sets a quota right: drafts that are published or withdrawn by now leave the list of open
 * ones, and a draft that a server died over is counted anew.
 *
 * A draft can only be counted while nobody changes its files. Whoever may do so has a grant
 * in the document; a grant that was not renewed for long is that of a server which is gone.
 * The document is swapped only if it is still the one that was there before the counting.
 */
import { CodedError } from '../core/error.ts';
import { inParallel } from '../core/parallel.ts';
import { type Namespace, parseReleaseName } from '../core/release/name.ts';
import type { Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import { load } from './documents/form.ts';
import {
  type Amount,
  type DraftUse,
  plus,
  type QuotaRecord,
  quotaForm,
} from './documents/quota.ts';
import { countDraft, stateOf } from './quota-count.ts';

/** Milliseconds after which a grant's server is gone: far longer than it lets one stand, or any request takes. */
export const STALE_MS = 15 * 60_000;
const PARALLEL = 16;
/** Times that the counting begins anew because somebody else has changed the quota meanwhile. */
const MAX_TRIES = 4;

/** What became of a draft. */
type Fate =
  | { readonly is: 'open'; readonly use: DraftUse }
  | { readonly is: 'published'; readonly use: Amount }
  | { readonly is: 'gone' };

export interface RepairOptions {
  readonly store: Store;
  readonly namespace: Namespace;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Release name of the one draft that is looked at; all by default. */
  readonly only?: string;
  /** Counts every draft that nobody works on, whether or not there is reason to. */
  readonly all?: boolean;
}

/** Sets the quota of a namespace right, if it has one. Throws `conflict` where others change it all the time. */
export async function repairQuota(options: RepairOptions): Promise<void> {
  const { store, namespace, only } = options;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const held = await load(store, keys.quota(namespace), quotaForm);
    if (held === undefined) return;
    const names = Object.keys(held.value.drafts).filter((it) => only === undefined || it === only);
    const fates = await inParallel(names, PARALLEL, (it) =>
      fateOf(options, it, held.value.drafts[it]!),
    );
    const next = withFates(held.value, new Map(names.map((name, i) => [name, fates[i]!])));
    if (next === held.value) return;
    const bytes = quotaForm.format({ ...next, generation: held.value.generation + 1 });
    if ((await store.swap(keys.quota(namespace), held.version, bytes)) !== undefined) return;
  }
  throw new CodedError('conflict', `the quota of ${namespace} changes all the time; try again`);
}

async function fateOf(
  { store, now, all = false }: RepairOptions,
  name: string,
  use: DraftUse,
): Promise<Fate> {
  const release = parseReleaseName(name);
  const state = await stateOf(store, release);
  const isWorkedOn = Object.values(use.grants).some(({ at }) => Math.abs(now - at) < STALE_MS);
  if (state === 'withdrawn' || (state === undefined && !isWorkedOn)) return { is: 'gone' };
  const hasDrifted = use.drift === true || Object.keys(use.grants).length > 0;
  if (state === 'published') {
    return { is: 'published', use: hasDrifted ? await countDraft(store, release) : use };
  }
  if (isWorkedOn || !(hasDrifted || all)) return { is: 'open', use };
  return { is: 'open', use: { ...(await countDraft(store, release)), grants: {} } };
}

/** The very same record where nothing is otherwise. */
function withFates(record: QuotaRecord, fates: ReadonlyMap<string, Fate>): QuotaRecord {
  const drafts = { ...record.drafts };
  let settled = record.settled;
  let isChanged = false;
  for (const [name, fate] of fates) {
    if (fate.is === 'open' && fate.use === drafts[name]) continue;
    isChanged = true;
    if (fate.is === 'published') settled = plus(settled, fate.use);
    if (fate.is === 'open') drafts[name] = fate.use;
    else delete drafts[name];
  }
  return isChanged ? { ...record, settled, drafts } : record;
}
