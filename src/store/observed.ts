/**
 * A store with somebody who is told of everything that is asked of it. It stands in front of
 * any store, and knows of the contract only that what is asked returns a promise or a listing.
 */
import type { Store } from './contract.ts';

/** Called when an operation begins, with its name; what it returns when the operation has ended. */
export type Began = (operation: string) => (failure?: unknown) => void;

/** `store`, with `began` told of its operations. */
export function observed(store: Store, began: Began): Store {
  const known = new Map<PropertyKey, unknown>();
  return new Proxy(store, {
    get(target, name) {
      const found = known.get(name);
      if (found !== undefined) return found;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function' || name === 'close') {
        return typeof member === 'function' ? member.bind(target) : member;
      }
      const told = (...args: unknown[]) => tell(String(name), member.apply(target, args), began);
      known.set(name, told);
      return told;
    },
  });
}

function tell(operation: string, result: unknown, began: Began): unknown {
  if (result instanceof Promise) return settled(result, began(operation));
  return isListing(result) ? listed(operation, result, began) : result;
}

function settled(work: Promise<unknown>, ended: (failure?: unknown) => void): Promise<unknown> {
  return work.then(
    (value) => {
      ended();
      return value;
    },
    (error) => {
      ended(error);
      throw error;
    },
  );
}

/** A listing begins when its first key is asked for. */
async function* listed(operation: string, keys: AsyncIterable<unknown>, began: Began) {
  const ended = began(operation);
  let failure: unknown;
  try {
    yield* keys;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    ended(failure);
  }
}

function isListing(result: unknown): result is AsyncIterable<unknown> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
}
