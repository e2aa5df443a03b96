/**
 * Proves at start that a store keeps its two promises under concurrency: of several creates of
 * one key exactly one wins, and of several swaps from one version exactly one wins. There are
 * servers that take the conditions of a PUT and ignore them; on such a store two servers could
 * commit two different trees of one size, so it is refused by name.
 *
 * Two writers and few rounds: SeaweedFS lets the losers among three wait for whole seconds (a
 * start took up to 3 s more with them), the one of two hardly ever.
 */
import { formatHex, utf8 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import type { Store, Version } from './contract.ts';
import { type Key, keys } from './keys.ts';

/** Writers that race in each round. */
const WRITERS = 2;
const ROUNDS = 3;

/** Throws `storage` for a store on which more or fewer than one writer wins. `random` gives 16 fresh bytes. */
export async function probeStore(store: Store, random: () => Uint8Array): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await raceCreates(store, formatHex(random().subarray(0, 16)));
    await raceSwaps(store, formatHex(random().subarray(0, 16)));
  }
}

async function raceCreates(store: Store, name: string): Promise<void> {
  const key = keys.probe(name);
  const outcomes = await race((writer) => store.create(key, utf8(`${name} ${writer}`)));
  await store.delete(key);
  requireOne(store, outcomes.filter((outcome) => outcome === 'created').length, 'create');
}

async function raceSwaps(store: Store, name: string): Promise<void> {
  const key = keys.probe(name);
  const first = await raceSwap(store, key, null, `${name} first`);
  await raceSwap(store, key, first, `${name} second`);
  await store.delete(key);
}

async function raceSwap(
  store: Store,
  key: Key,
  from: Version | null,
  what: string,
): Promise<Version> {
  const outcomes = await race((writer) => store.swap(key, from, utf8(`${what} ${writer}`)));
  const [won, ...others] = outcomes.filter((outcome) => outcome !== undefined);
  requireOne(store, won === undefined ? 0 : 1 + others.length, 'swap');
  return won as Version;
}

function race<T>(write: (writer: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
}

/**
 * That two win proves a store unfit. That nobody does may be a lost answer: whose write was done
 * unheard is told "exists" (nobody may be told "created" twice), and trying again will tell.
 */
function requireOne(store: Store, winners: number, what: string): void {
  if (winners === 1) return;
  const fatal = winners > 1;
  throw new CodedError(
    'storage',
    `${store.name} let ${winners} of ${WRITERS} concurrent writers win a conditional ${what}, not one: ${fatal ? 'it cannot hold a registry' : 'an answer was lost, or it cannot hold a registry'}`,
    { winners, ...(fatal && { fatal }) },
  );
}
