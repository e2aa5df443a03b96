/**
 * Pours a stream into a file: one batch is being written while the next one is gathered, so
 * that at most two batches per stream are in memory and the sender waits for the disk.
 */
import type { FileHandle } from 'node:fs/promises';
import { ignore, writeAll } from './disk.ts';

/** Bytes gathered before they are written. */
const BATCH_SIZE = 1024 * 1024;
/** Chunks gathered before they are written, should they be tiny. */
const BATCH_CHUNKS = 256;

/** What the sender's stream threw: no fault of the disk, to be passed on as it is. */
export class SenderFailure extends Error {
  constructor(cause: unknown) {
    super('the sender failed', { cause });
  }
}

/** Where the bytes go, and how many may. */
export interface Vessel {
  readonly handle: FileHandle;
  readonly position: number;
  readonly length: number;
}

/**
 * Writes what comes from `body`, and resolves to the number of bytes that came; it stops
 * reading at the first byte over `vessel.length`, which is not written. When it has ended,
 * in whichever way, none of its writes is under way any more. `stopped` ends it early, even
 * while `body` sends nothing.
 */
export async function pour(
  body: AsyncIterable<Uint8Array>,
  vessel: Vessel,
  stopped: Promise<never>,
): Promise<number> {
  const iterator = body[Symbol.asyncIterator]();
  const next = untilStopped(() => nextOf(iterator), stopped);
  let batch: Uint8Array[] = [];
  let gathered = 0;
  let received = 0;
  let writing: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    await writing;
    writing = writeAll(vessel.handle, batch, vessel.position + received - gathered);
    writing.catch(ignore); // it is awaited below; until then nobody listens
    batch = [];
    gathered = 0;
  };

  try {
    for (;;) {
      const { done, value: chunk } = await next();
      if (done) break;
      received += chunk.length;
      if (received > vessel.length) break;
      if (chunk.length === 0) continue;
      batch.push(chunk);
      gathered += chunk.length;
      if (gathered >= BATCH_SIZE || batch.length >= BATCH_CHUNKS) await write();
    }
    if (gathered > 0 && received <= vessel.length) await write();
    await writing;
    return received;
  } finally {
    await writing.catch(ignore);
    // A generator that waits for its next chunk answers only then: nobody waits for it.
    iterator.return?.().then(ignore, ignore);
  }
}

/**
 * `work` as a call that rejects as soon as `stopped` does. Not Promise.race: every race
 * would leave a listener with `stopped`, and each would keep its chunk in memory.
 */
function untilStopped<T>(work: () => Promise<T>, stopped: Promise<never>): () => Promise<T> {
  let stop: (reason: unknown) => void = ignore;
  let failure: { readonly reason: unknown } | undefined;
  stopped.catch((reason: unknown) => {
    failure = { reason };
    stop(reason);
  });
  return () =>
    new Promise<T>((resolve, reject) => {
      stop = reject;
      if (failure !== undefined) reject(failure.reason);
      else work().then(resolve, reject);
    });
}

async function nextOf(
  iterator: AsyncIterator<Uint8Array>,
): Promise<IteratorResult<Uint8Array, undefined>> {
  try {
    return (await iterator.next()) as IteratorResult<Uint8Array, undefined>;
  } catch (error) {
    throw new SenderFailure(error);
  }
}
