/**
 * The trust root as the store has it. A server believes its store no more than clients do
 * theirs: version 1 must be signed by its own keys, each later one by the one before it.
 */
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { checkRoot, type TrustRoot, walkRoots } from '../core/trust/succession.ts';
import type { Refusal, Verdict } from '../core/verdict.ts';
import type { Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';

export interface StoredRoot {
  readonly root: TrustRoot;
  /** Its exact bytes. */
  readonly bytes: Uint8Array;
  /** Version 1, whose digest is the registry's fingerprint. */
  readonly first: Uint8Array;
}

/** Walks to the newest version. Throws `not-found` where there is no registry, `untrusted` … */
export async function readStoredRoot(host: Host, store: Store): Promise<StoredRoot> {
  const read = async (version: number) => (await store.get(keys.root(version)))?.bytes;
  const first = await read(1);
  if (first === undefined) {
    throw new CodedError(
      'not-found',
      `${store.name} holds no registry: make one with "weighhouse init"`,
    );
  }
  const { root: begun } = believe(store, await checkRoot(host, first));
  const { root, steps } = believe(store, await walkRoots(host, begun, read));
  return { root, bytes: steps.at(-1) ?? first, first };
}

/** What the store has beyond `root`. Throws what `readStoredRoot` throws. */
export async function readNewerRoot(host: Host, store: Store, root: TrustRoot): Promise<TrustRoot> {
  const read = async (version: number) => (await store.get(keys.root(version)))?.bytes;
  return believe(store, await walkRoots(host, root, read)).root;
}

function believe<T extends object>(store: Store, verdict: Verdict<T>): T {
  if (verdict.ok) return verdict;
  const { code, message, evidence } = verdict as Refusal;
  throw new CodedError(code, `${store.name}: ${message}`, evidence);
}
