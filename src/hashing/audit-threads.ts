/**
 * An audit's work on every core: the hashing of entry bundles, and signatures. What it reads
 * comes over the network in one thread; the arithmetic is done in these.
 *
 *     const threads = new AuditThreads();
 *     await audit({ ...reader, host: threads.host }, { hasher: threads });
 *     await threads.close();
 */
import { availableParallelism } from 'node:os';
import type { HashedEntries } from '../core/audit/hashed-bundle.ts';
import type { Host } from '../core/host.ts';
import { expectManySmallObjects } from './garbage.ts';
import { nodeHost } from './host.ts';
import type { SignatureCheck } from './signatures.ts';
import { HashingThread } from './thread.ts';

/** Signatures that go over to a thread at once. */
const BATCH = 64;

/** Megabytes of each thread's young objects: a bundle makes some 600 and is done with all of them. */
const YOUNG_MB = 4;

/** A check that waits for its turn. */
interface Waiting extends SignatureCheck {
  resolve(good: boolean): void;
  reject(cause: unknown): void;
}

export class AuditThreads {
  readonly #threads: HashingThread[] = [];
  readonly #size: number;
  #next = 0;
  #waiting: Waiting[] = [];

  /** Threads are started when there is work for them. */
  constructor(threads = availableParallelism()) {
    this.#size = threads;
    expectManySmallObjects();
  }

  /** The core's host, whose signatures are checked on the threads. */
  readonly host: Host = {
    sha256: nodeHost.sha256,
    verifyP256: (spki, data, signature) => this.#verify({ spki, data, signature }),
  };

  /** Leaf hashes of the bundle's entries, and their root when there are 256. */
  hashBundle(bundle: Uint8Array, width: number): Promise<HashedEntries> {
    // Reading takes about as long as hashing: one core is left to the thread that reads.
    return this.#thread(Math.max(1, this.#size - 1)).call({ kind: 'bundle', bundle, width });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  /** Whoever asks in the same turn is answered by the same message. */
  #verify(check: SignatureCheck): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) queueMicrotask(() => this.#send());
      this.#waiting.push({ ...check, resolve, reject });
    });
  }

  #send(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const batch = Math.min(BATCH, Math.ceil(waiting.length / this.#size));
    for (let i = 0; i < waiting.length; i += batch) this.#sendBatch(waiting.slice(i, i + batch));
  }

  #sendBatch(batch: readonly Waiting[]): void {
    const checks = batch.map(({ spki, data, signature }) => ({ spki, data, signature }));
    this.#thread(this.#size)
      .call({ kind: 'signatures', checks })
      .then(
        (answers) => {
          for (const [i, { resolve }] of batch.entries()) resolve(answers[i]!);
        },
        (cause) => {
          for (const { reject } of batch) reject(cause);
        },
      );
  }

  /** One of the first `count` threads, in turn. */
  #thread(count: number): HashingThread {
    this.#next = (this.#next + 1) % count;
    this.#threads[this.#next] ??= new HashingThread(undefined, {
      maxYoungGenerationSizeMb: YOUNG_MB,
    });
    return this.#threads[this.#next]!;
  }
}
