/**
 * Does the store take writes at the moment? Reading goes on when a disk is full, so whoever
 * asks whether a server is ready must try a write.
 */
import type { Store } from './contract.ts';
import { keys } from './keys.ts';

/** Readiness is asked by anybody, and often: a write is tried this often at most. */
const EVERY_MS = 3_000;

/**
 * Makes a question that is answered with why the store takes no writes, in one sentence, or
 * with undefined when it does. `name` is a fresh random one; `clock` gives milliseconds.
 */
export function writeProbe(
  store: Store,
  name: string,
  clock: () => number,
): () => Promise<string | undefined> {
  const key = keys.probe(name);
  let tried = Number.NEGATIVE_INFINITY;
  let answer: Promise<string | undefined> = Promise.resolve(undefined);
  return () => {
    if (Math.abs(clock() - tried) < EVERY_MS) return answer;
    tried = clock();
    answer = tryWrite(store, key);
    return answer;
  };
}

async function tryWrite(store: Store, key: ReturnType<typeof keys.probe>) {
  try {
    await store.create(key, new Uint8Array(1));
    await store.delete(key);
    return undefined;
  } catch (error) {
    return `the store ${store.name} takes no writes: ${(error as Error).message}`;
  }
}
