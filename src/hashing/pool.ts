/**
 * SHA-256 on every core. A pool holds as many threads as the machine has cores, started when
 * first needed, and keeps them busy until the last block: the largest file goes first, and
 * whatever cannot be shared out fairly as whole files is cut into stretches (`cut.ts`).
 *
 *     const pool = new HashingPool();
 *     const { sha256, chunks } = await pool.hashFile(path, { size, whole: true, chunkSize });
 *     await pool.close();
 *
 * Memory is bounded by one block a thread, whatever the size of the files.
 */
import { availableParallelism } from 'node:os';
import { STRETCH_BYTES } from './cut.ts';
import { FileJob, type HashOptions } from './file-job.ts';
import { checkPlan, type Hashes, type HashPlan } from './plan.ts';
import { JobQueue } from './queue.ts';
import { HashStream } from './stream.ts';
import { interrupted } from './stretch.ts';
import { HashingThread } from './thread.ts';

export interface PoolOptions {
  /** Threads for files, and as many for streams; by default one a core. */
  readonly threads?: number;
  /** Bytes of a stretch; fewer only in tests. */
  readonly stretchBytes?: number;
  /** The program of a thread; another one only in tests. */
  readonly program?: URL;
}

export class HashingPool {
  readonly #size: number;
  readonly #stretchBytes: number;
  readonly #program: URL | undefined;
  readonly #fileThreads: HashingThread[] = [];
  /** Streams have threads of their own, so that none waits behind a large file. */
  readonly #streamThreads: HashingThread[] = [];
  readonly #queue = new JobQueue();
  readonly #live = new Set<FileJob>();
  #current: FileJob | undefined;
  #streams = 0;
  #closed = false;

  constructor(options: PoolOptions = {}) {
    const { threads = availableParallelism(), stretchBytes = STRETCH_BYTES, program } = options;
    this.#size = threads;
    this.#stretchBytes = stretchBytes;
    this.#program = program;
  }

  /** Starts the threads for files now, for a caller who has something else to do before: it takes some 30 ms. */
  warm(): void {
    for (let i = this.#fileThreads.length; i < this.#size; i++)
      this.#fileThreads.push(this.#start());
  }

  /**
   * Hashes the regular file at `path`. Throws `file-changed` when it has not `plan.size`
   * bytes or changes meanwhile, `bad-path` for a symbolic link or anything but a regular
   * file, `not-found`, `storage`, and `interrupted` by its signal or when the pool closes.
   */
  async hashFile<const P extends HashPlan>(
    path: string,
    plan: P,
    options: HashOptions = {},
  ): Promise<Hashes<P>> {
    checkPlan(plan);
    if (this.#closed || options.signal?.aborted) throw interrupted(path);
    const job = new FileJob(path, plan, options);
    this.#queue.add(job);
    this.#live.add(job);
    // After the caller's turn: what it asks for in one loop is then known before the first file is cut.
    queueMicrotask(() => this.#handOut());
    try {
      return (await job.hashes) as Hashes<P>;
    } finally {
      this.#live.delete(job);
    }
  }

  /**
   * Hashes bytes that are pushed into it; for those that are written elsewhere at the same
   * time. `name` is what messages call them.
   */
  openStream<const P extends HashPlan>(plan: P, name = 'the stream'): HashStream<P> {
    checkPlan(plan);
    if (this.#closed) throw interrupted(name);
    const place = this.#streams++ % this.#size;
    if (this.#streamThreads[place]?.ended ?? true) this.#streamThreads[place] = this.#start();
    return new HashStream(this.#streamThreads[place]!, plan, name);
  }

  /**
   * Hashes all that `source` gives. Throws what `source` throws, `digest-mismatch` when it
   * gives more or fewer than `plan.size` bytes, and `interrupted` by its signal, which
   * `source` should listen to as well: nothing here can end its waiting.
   */
  async hashBytes<const P extends HashPlan>(
    source: AsyncIterable<Uint8Array>,
    plan: P,
    { name = 'the stream', signal }: { name?: string; signal?: AbortSignal | undefined } = {},
  ): Promise<Hashes<P>> {
    const stream = this.openStream(plan, name);
    try {
      for await (const bytes of source) {
        if (signal?.aborted) throw interrupted(name, signal.reason);
        await stream.write(bytes);
      }
      return await stream.finish();
    } catch (error) {
      stream.drop();
      throw error;
    }
  }

  /** Ends every thread. What is still being hashed rejects with `interrupted`. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#live) job.stop(interrupted(job.path, 'the pool was closed'));
    const threads = [...this.#fileThreads.splice(0), ...this.#streamThreads.splice(0)];
    await Promise.all(threads.map((thread) => thread.close()));
  }

  /** Gives every free thread its next stretch. */
  #handOut(): void {
    for (let job = this.#nextJob(); job !== undefined; job = this.#nextJob()) {
      const thread = this.#freeThread();
      if (thread === undefined) return;
      void job.advance(thread).then(() => this.#handOut());
    }
  }

  /** The job whose stretches are being handed out: one after another, the largest first. */
  #nextJob(): FileJob | undefined {
    while (!this.#current?.hasWork) {
      this.#current = this.#queue.takeLargest();
      if (this.#current === undefined) return undefined;
      this.#current.begin(this.#isShareable(this.#current), this.#stretchBytes);
    }
    return this.#current;
  }

  /**
   * Is `job` small against what is left for every thread, so that it can stay in one piece
   * without keeping the others waiting at the end?
   */
  #isShareable(job: FileJob): boolean {
    const left = job.cost + this.#queue.cost;
    return this.#size === 1 || job.cost <= this.#stretchBytes || 2 * this.#size * job.cost <= left;
  }

  #freeThread(): HashingThread | undefined {
    if (this.#closed) return undefined;
    const gone = this.#fileThreads.findIndex((thread) => thread.ended);
    if (gone >= 0) this.#fileThreads.splice(gone, 1);
    const free = this.#fileThreads.find((thread) => !thread.busy);
    if (free !== undefined || this.#fileThreads.length >= this.#size) return free;
    const started = this.#start();
    this.#fileThreads.push(started);
    return started;
  }

  #start(): HashingThread {
    return new HashingThread(this.#program);
  }
}
