/** Processes that are killed, or whose store fails, at their k-th write: for every k. */
import type { LiveRegistry, World } from './live-registry.ts';
import type { Fault, Operation } from './memory-store.ts';

/** More than the writes of a small release; the last runs have no fault any more. */
const MAX_WRITES = 200;

/**
 * Runs `attempt` with k = 1, 2, … until it says that its k-th write was never reached. `npm
 * test` takes every fifth k, from a random one on; WEIGHHOUSE_FAULTS=all takes every one.
 */
export async function forWrites(attempt: (k: number) => Promise<boolean>): Promise<void> {
  const step = process.env.WEIGHHOUSE_FAULTS === 'all' ? 1 : 5;
  const first = 1 + Math.floor(Math.random() * step);
  for (let k = first, reached = true; reached; k += step) {
    if (k > MAX_WRITES) throw new Error(`a release takes more than ${MAX_WRITES} writes`);
    try {
      reached = await attempt(k);
    } catch (cause) {
      throw new Error(`the fault at write ${k} was not survived`, { cause });
    }
  }
}

/** The same with a store that has `fault` at that write; `attempt` opens its process with it. */
export function forFaults(
  fault: Fault,
  attempt: (faulty: { readonly fault: (operation: Operation) => Fault }) => Promise<void>,
): Promise<void> {
  return forWrites(async (k) => {
    let isReached = false;
    const onReached = () => {
      isReached = true;
    };
    await attempt({ fault: atWrite(k, fault, onReached) });
    return isReached;
  });
}

/** A process that is killed before its k-th write, or after it and before anybody hears of it. */
export async function openDying(
  world: World,
  k: number,
  when: 'die-before' | 'die-after' = 'die-before',
) {
  const died = Promise.withResolvers<undefined>();
  const live = await world.open({ fault: atWrite(k, when, died.resolve) });
  return {
    /** What the client was told; undefined when the process was killed before it answered. */
    attempt: <T>(command: (live: LiveRegistry) => Promise<T>) =>
      Promise.race([command(live), died.promise]),
    /** Lets the process end, if it still lives: was it killed on the way? */
    isKilled: async () => {
      const ended = live.close().then(() => 'closed' as const);
      const killed = (await Promise.race([ended, died.promise])) === undefined;
      if (killed) world.bury(live);
      return killed;
    },
  };
}

/** `fault` at the k-th write after the start, once. */
function atWrite(k: number, fault: Fault, reached: (value: undefined) => void) {
  let writes = 0;
  return ({ kind }: Operation): Fault => {
    if (kind === 'get' || kind === 'read' || kind === 'size' || kind === 'list') return undefined;
    writes += 1;
    if (writes !== k) return undefined;
    reached(undefined);
    return fault;
  };
}
