/**
 * Does the store take writes at the moment? Reading goes on when a disk is full, so whoever
 * asks whether a server is ready must try a write.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from './contract.ts';
import { keys } from './keys.ts';

/** Readiness is asked by anybody, and often: a write is tried this often at most. */
const EVERY_MS = 3_000;

/** A store that has not taken a byte in this time takes no writes; load balancers wait no longer. */
const PATIENCE_MS = 1_000;

type Answer = string | undefined;

/**
 * Makes a question that is answered with why the store takes no writes, in one sentence, or
 * with undefined when it does. `name` is a fresh random one; `clock` gives milliseconds.
 * `patience` is how many of them an answer may take.
 */
export function writeProbe(
  store: Store,
  name: string,
  clock: () => number,
  patience = PATIENCE_MS,
): () => Promise<Answer> {
  const key = keys.probe(name);
  const silent = `the store ${store.name} takes no writes: one has had no answer for ${patience / 1000} s`;
  let tried = Number.NEGATIVE_INFINITY;
  let isUnderWay = false;
  let answer: Promise<Answer> = Promise.resolve(undefined);
  return () => {
    const waited = Math.abs(clock() - tried);
    // One that hangs is not tried beside itself.
    if (!isUnderWay && waited >= EVERY_MS) {
      tried = clock();
      isUnderWay = true;
      answer = tryWrite(store, key).finally(() => {
        isUnderWay = false;
      });
    }
    return isUnderWay ? orElse(answer, patience, silent) : answer;
  };
}

/** The answer if it comes within `milliseconds`, or what is said in its place. */
async function orElse(answer: Promise<Answer>, milliseconds: number, late: string) {
  const timer = new AbortController();
  const out = pause(milliseconds, late, { signal: timer.signal });
  out.catch(() => {}); // it is called off when the answer comes
  try {
    return await Promise.race([answer, out]);
  } finally {
    timer.abort();
  }
}

async function tryWrite(store: Store, key: ReturnType<typeof keys.probe>): Promise<Answer> {
  try {
    await store.create(key, new Uint8Array(1));
    await store.delete(key);
    return undefined;
  } catch (error) {
    return `the store ${store.name} takes no writes: ${(error as Error).message}`;
  }
}
