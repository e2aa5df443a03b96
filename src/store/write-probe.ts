/**
 * Does the store take writes at the moment? Reading goes on when a disk is full, so whoever
 * asks whether a server is ready must try a write.
 */
import { atMost } from '../core/at-most.ts';
import type { Store } from './contract.ts';
import { keys } from './keys.ts';

/** Readiness is asked by anybody, and often: a write is tried this often at most. */
const EVERY_MS = 3_000;

/** A store that has not taken a byte in this time takes no writes; load balancers wait no longer. */
const PATIENCE_MS = 1_000;

/** Why no writes are taken; undefined when they are. */
interface Answer {
  readonly reason: string | undefined;
}

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
): () => Promise<string | undefined> {
  const key = keys.probe(name);
  const silent = `one has had no answer for ${patience / 1000} s`;
  let tried = Number.NEGATIVE_INFINITY;
  let isUnderWay = false;
  let answer: Promise<Answer>;
  return async () => {
    // One that hangs is not tried beside itself.
    if (!isUnderWay && Math.abs(clock() - tried) >= EVERY_MS) {
      tried = clock();
      isUnderWay = true;
      answer = tryWrite(store, key).finally(() => {
        isUnderWay = false;
      });
    }
    const { reason } = (await atMost(patience, answer)) ?? { reason: silent };
    return reason === undefined ? undefined : `the store ${store.name} takes no writes: ${reason}`;
  };
}

async function tryWrite(store: Store, key: ReturnType<typeof keys.probe>): Promise<Answer> {
  try {
    await store.create(key, new Uint8Array(1));
    await store.delete(key);
    return { reason: undefined };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}
