/** A log to measure with: one sequencer over a directory store of its own, and nothing else. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { signingKey } from '../../src/core/note/key.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { createLog } from '../../src/log/recover.ts';
import { type Observer, openSequencer, type Sequencer } from '../../src/log/sequencer.ts';
import { openDirectory } from '../../src/store/directory.ts';

const ORIGIN = 'log.example';
/** Bytes of an entry. */
const ENTRY_BYTES = 256;

export interface BenchLogOptions {
  /** Milliseconds that entries are pooled for. */
  readonly period?: number;
  readonly observer?: Observer;
}

export interface BenchLog {
  readonly sequencer: Sequencer;
  /** Ends the sequencer and begins another on the same log: seconds until that takes entries. */
  restart(): Promise<number>;
  /** Removes the log with all that is in it. */
  close(): Promise<void>;
}

/** A fresh, empty log below `folder`. */
export async function openBenchLog(
  folder: string,
  { period, observer }: BenchLogOptions = {},
): Promise<BenchLog> {
  const directory = await mkdtemp(join(folder, 'log-'));
  const store = await openDirectory(directory, { create: true });
  const key = signingKey(nodeHost, ORIGIN, new Uint8Array(randomBytes(32)));
  const random = () => new Uint8Array(randomBytes(16));
  const log = { store, host: nodeHost, origin: ORIGIN, keys: [key] };
  await createLog({ ...log, time: Date.now(), random: random() });
  const open = () =>
    openSequencer({
      ...log,
      clock: Date.now,
      random,
      ...(period === undefined ? {} : { period }),
      ...(observer === undefined ? {} : { observer }),
    });
  let sequencer = await open();
  return {
    get sequencer() {
      return sequencer;
    },
    async restart() {
      await sequencer.close();
      const begun = performance.now();
      sequencer = await open();
      return (performance.now() - begun) / 1000;
    },
    async close() {
      await sequencer.close();
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Different in each process: several of them write to one log. */
const HEAD = new Uint8Array(randomBytes(16));
let serial = 0;

/** An entry that was not there before. */
export function freshEntry(): Uint8Array {
  const entry = new Uint8Array(ENTRY_BYTES);
  entry.set(HEAD);
  new DataView(entry.buffer).setFloat64(HEAD.length, serial++);
  return entry;
}
