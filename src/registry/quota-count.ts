/**
 * What a namespace takes up, counted from its drafts in the store: how a quota begins, and how
 * it is set right after a crash. It costs a request for every file, so nobody waits for it
 * but who sets a quota, and who would be refused otherwise.
 */
import { inParallel } from '../core/parallel.ts';
import {
  formatReleaseName,
  type Namespace,
  parseReleaseName,
  type ReleaseName,
} from '../core/release/name.ts';
import type { Store } from '../store/contract.ts';
import { type Key, keys, prefixes } from '../store/keys.ts';
import { type Draft, draftForm } from './documents/draft.ts';
import { fileForm } from './documents/file.ts';
import { load } from './documents/form.ts';
import { type Amount, NOTHING, plus, type QuotaRecord } from './documents/quota.ts';
import { allDrafts } from './draft-list.ts';

/** Small documents that are read at the same time. */
const PARALLEL = 16;

/** The files of a draft, as they were declared last. */
export async function countDraft(store: Store, release: ReleaseName): Promise<Amount> {
  const files: Key[] = [];
  for await (const key of store.list(prefixes.draftFiles(release))) files.push(key);
  const sizes = await inParallel(files, PARALLEL, async (key) => {
    const file = await load(store, key, fileForm);
    return { files: file === undefined ? 0 : 1, bytes: file?.value.size ?? 0 };
  });
  return sizes.reduce<Amount>(plus, NOTHING);
}

/** All drafts of a namespace; those that are open stand by themselves. */
export async function countNamespace(
  store: Store,
  namespace: Namespace,
): Promise<Pick<QuotaRecord, 'settled' | 'drafts'>> {
  let settled: Amount = NOTHING;
  const drafts: Record<string, QuotaRecord['drafts'][string]> = {};
  for (const draft of await allDrafts(store, namespace)) {
    if (draft.state === 'withdrawn') continue;
    const amount = await countDraft(store, parseReleaseName(draft.release));
    if (draft.state === 'published') settled = plus(settled, amount);
    else drafts[draft.release] = { ...amount, grants: {} };
  }
  return { settled, drafts };
}

/** Where the draft of `release` stands; undefined when there is none. */
export async function stateOf(
  store: Store,
  release: ReleaseName,
): Promise<Draft['state'] | undefined> {
  const draft = (await load(store, keys.draft(release), draftForm))?.value;
  // A version that differs in case alone is another one's.
  return draft?.release === formatReleaseName(release) ? draft.state : undefined;
}
