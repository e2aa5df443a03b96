/** A small log on a store in memory, with a clock and randomness that a test controls. */
import { utf8 } from '../../src/core/bytes.ts';
import { parseCheckpoint } from '../../src/core/log/checkpoint.ts';
import { openTileTree } from '../../src/core/log/tile-tree.ts';
import { signingKey } from '../../src/core/note/key.ts';
import { parseNote } from '../../src/core/note/note.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { parseLock } from '../../src/log/lock.ts';
import { DEFAULT_POOL_LIMIT } from '../../src/log/pool.ts';
import { storedTiles } from '../../src/log/reader.ts';
import { createLog, type LogOptions } from '../../src/log/recover.ts';
import { openSequencer, type Sequencer, type SequencerOptions } from '../../src/log/sequencer.ts';
import type { TurnTaking } from '../../src/log/turns.ts';
import type { Store } from '../../src/store/contract.ts';
import { keys } from '../../src/store/keys.ts';
import { Disk } from './memory-store.ts';

export const ORIGIN = 'log.example';
export const LOG_KEY = signingKey(nodeHost, ORIGIN, new Uint8Array(32).fill(7));
/** 2026-01-01T00:00:00Z. */
export const START = 1_767_225_600_000;
export const FULL_BATCH = DEFAULT_POOL_LIMIT.entries;

export function logOptions(store: Store): LogOptions {
  return { store, host: nodeHost, origin: ORIGIN, keys: [LOG_KEY] };
}

/** Different bytes at each call; the same in each run. */
export function countingRandom(first = 1): () => Uint8Array {
  let calls = first;
  return () => {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    // The name of a process is the first half, a nonce the whole.
    view.setUint32(4, calls);
    view.setUint32(12, calls++);
    return bytes;
  };
}

/** A disk with an empty log. */
export async function emptyLog(): Promise<Disk> {
  const disk = new Disk();
  await createLog({ ...logOptions(disk.open()), time: START, random: new Uint8Array(16) });
  return disk;
}

/** Everyone for himself: where several write, nearly every commit is a race. */
export const RUSHING: TurnTaking = {
  wait: () => 0,
  begin: () => false,
  next: () => [],
  taken: () => {},
  lost: async () => {},
};

let processes = 0;

/** A sequencer that hardly waits, unless a test says otherwise. */
export function sequence(
  store: Store,
  options: Partial<SequencerOptions> = {},
): Promise<Sequencer> {
  processes += 1;
  return openSequencer({
    ...logOptions(store),
    clock: () => START,
    random: countingRandom(processes << 16),
    period: 1,
    ...options,
  });
}

/** The entry that says `text`. */
export function entry(text: string | number): Uint8Array {
  return utf8(`entry ${text}`);
}

/** Appends `count` different entries that begin with `text`, in batches as large as they may be. */
export async function fill(log: Sequencer, count: number, text: string): Promise<void> {
  for (let left = count; left > 0; left -= FULL_BATCH) {
    const length = Math.min(FULL_BATCH, left);
    const entries = Array.from({ length }, (_, i) => entry(`${text} ${left} ${i}`));
    await log.append({ entries });
  }
}

/** All entries of the committed log, each checked against the lock's signed root. */
export function committedEntries(disk: Disk): Promise<string[]> {
  return entriesIn(disk.open(), 'lock');
}

/** All entries of the published log, each checked against its signed root. */
export function publishedEntries(disk: Disk): Promise<string[]> {
  return entriesIn(disk.open(), 'checkpoint');
}

/** The entries of the tree that the lock names, or the published checkpoint. */
export async function entriesIn(store: Store, by: 'lock' | 'checkpoint'): Promise<string[]> {
  const { bytes } = (await store.get(keys[by]()))!;
  const note = by === 'lock' ? parseLock(bytes).checkpoint : bytes;
  const head = parseCheckpoint(parseNote(note).text);
  const tree = await openTileTree(nodeHost, head, storedTiles(store));
  const entries: string[] = [];
  for (let index = 0; index * 256 < head.size; index++) {
    for (const each of await tree.bundle(index)) entries.push(new TextDecoder().decode(each));
  }
  return entries;
}
