/** The drafts of a namespace, found by listing the store: nothing else knows of them. */
import { compareCodePoints } from '../core/bytes.ts';
import type { Digest } from '../core/digest.ts';
import { inParallel } from '../core/parallel.ts';
import { type Namespace, parseReleaseName, type ReleaseName } from '../core/release/name.ts';
import type { Store } from '../store/contract.ts';
import { type Key, prefixes } from '../store/keys.ts';
import { type Draft, draftForm, sealedDigest } from './documents/draft.ts';
import { load } from './documents/form.ts';
import type { DraftState } from './registry.ts';

/** Small documents that are read at the same time. */
const PARALLEL = 16;

/** A draft in a list. */
export interface ListedDraft {
  readonly release: ReleaseName;
  readonly state: DraftState;
  readonly revision: number;
  /** What is sealed, if something is. */
  readonly digest?: Digest;
}

/** Those that can still be published, by name. */
export async function openDrafts(store: Store, namespace: Namespace): Promise<ListedDraft[]> {
  const drafts = await allDrafts(store, namespace);
  return drafts
    .filter(({ state }) => state !== 'published' && state !== 'withdrawn')
    .sort((a, b) => compareCodePoints(a.release, b.release))
    .map((draft) => {
      const { release, state, revision } = draft;
      const digest = sealedDigest(draft);
      const name = parseReleaseName(release);
      return { release: name, state, revision, ...(digest !== undefined && { digest }) };
    });
}

/** All of them, whatever became of them. A draft of many files makes the list of keys long. */
export async function allDrafts(store: Store, namespace: Namespace): Promise<Draft[]> {
  const heads: Key[] = [];
  for await (const key of store.list(prefixes.draftsOf(namespace))) {
    if (key.endsWith('/head')) heads.push(key);
  }
  const drafts = await inParallel(heads, PARALLEL, (key) => load(store, key, draftForm));
  return drafts.flatMap((draft) => draft?.value ?? []);
}
