/** Uploads that nobody goes on with take room in the store, and are listed nowhere. */
import type { Store } from './contract.ts';

/** Milliseconds between two looks. */
const EVERY_MS = 3_600_000;

/** Who is told what became of it. */
export interface Sweeping {
  removed(uploads: number): void;
  failed(cause: unknown): void;
}

/**
 * Removes, once an hour, the uploads into which nothing has come for `age` milliseconds. Any
 * number of servers may do so over one store. Ends with `clearInterval`.
 */
export function sweepUploads(store: Store, age: number, told: Sweeping): NodeJS.Timeout {
  const sweep = async () => {
    try {
      const removed = await store.abandonUploads(age);
      if (removed > 0) told.removed(removed);
    } catch (error) {
      told.failed(error);
    }
  };
  return setInterval(sweep, EVERY_MS).unref();
}
