/** The hashing of one local file: its stretches on their way out, its digests on their way in. */
import { cutPlan, type Stretch, wantedIn } from './cut.ts';
import {
  chunkCount,
  DIGEST_BYTES,
  type Hashes,
  type HashPlan,
  type Piece,
  shapeHashes,
} from './plan.ts';
import { CONTROL, changed, interrupted, type StretchHashes } from './stretch.ts';
import type { HashingThread } from './thread.ts';

/** Milliseconds between two reports of progress. */
const REPORT_INTERVAL = 100;

export interface HashOptions {
  /** Told now and then how many of the file's bytes are done, and `plan.size` at the end. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
  /** Stops the work within a block; the promise then rejects with `interrupted`. */
  readonly signal?: AbortSignal | undefined;
}

export class FileJob {
  readonly path: string;
  /** Bytes to be hashed; each counts once for every hash that takes it. */
  readonly cost: number;
  readonly #plan: HashPlan;
  readonly #control = new BigInt64Array(
    new SharedArrayBuffer(CONTROL.slots * BigInt64Array.BYTES_PER_ELEMENT),
  );
  readonly #whole = new Uint8Array(DIGEST_BYTES);
  readonly #chunks: Uint8Array;
  readonly #pieces: Uint8Array;
  readonly #outcome = Promise.withResolvers<Hashes>();
  readonly #letGo: () => void;
  #waiting: Stretch[] | undefined;
  #running = 0;
  #bytesToRead = 0;
  #identity: string | undefined;
  #failure: unknown;

  constructor(path: string, plan: HashPlan, options: HashOptions) {
    this.path = path;
    this.#plan = plan;
    const { size, chunkSize, pieces = [] } = plan;
    const chunks = chunkSize === undefined ? 0 : chunkCount(size, chunkSize);
    this.#chunks = new Uint8Array(chunks * DIGEST_BYTES);
    this.#pieces = new Uint8Array(pieces.length * DIGEST_BYTES);
    this.cost = (plan.whole ? size : 0) + (chunkSize === undefined ? 0 : size) + bytesIn(pieces);
    this.#letGo = this.#attend(options);
  }

  /** Settles when no thread has the file open any more. */
  get hashes(): Promise<Hashes> {
    return this.#outcome.promise;
  }

  /** Bytes of the file that were read, in proportion: what is read twice is not counted twice. */
  get bytesDone(): number {
    if (this.#bytesToRead === 0) return 0;
    const read = Number(Atomics.load(this.#control, CONTROL.read));
    return Math.floor((this.#plan.size * read) / this.#bytesToRead);
  }

  /** True while there is a stretch to hand out. */
  get hasWork(): boolean {
    return this.#waiting !== undefined && this.#waiting.length > 0;
  }

  /** Cuts the work into stretches; see `cutPlan` for `together`. */
  begin(together: boolean, stretchBytes: number): void {
    if (this.#failure !== undefined) return;
    this.#waiting = cutPlan(this.#plan, together, stretchBytes).reverse();
    for (const { from, end } of this.#waiting) this.#bytesToRead += end - from;
  }

  /** Has `thread` do the next stretch. Never rejects: a failure is the job's outcome. */
  async advance(thread: HashingThread): Promise<void> {
    const stretch = this.#waiting!.pop()!;
    this.#running++;
    try {
      const wanted = wantedIn(stretch, this.#plan);
      const { from, end } = stretch;
      const control = this.#control.buffer as SharedArrayBuffer;
      const request = { kind: 'stretch', path: this.path, from, end, wanted, control } as const;
      this.#accept(stretch, await thread.call(request));
    } catch (error) {
      this.stop(error);
    }
    this.#running--;
    if (this.#running === 0 && !this.hasWork) this.#settle();
  }

  /** Gives the job up for `reason`; stretches under way end within a block. */
  stop(reason: unknown): void {
    this.#failure ??= reason;
    Atomics.store(this.#control, CONTROL.stop, 1n);
    this.#waiting = [];
    if (this.#running === 0) this.#settle();
  }

  #accept(stretch: Stretch, hashes: StretchHashes): void {
    this.#identity ??= hashes.identity;
    // Another thread opened another file, or the same one in another state.
    if (this.#identity !== hashes.identity) throw changed(this.path);
    if (stretch.whole) this.#whole.set(hashes.whole);
    this.#chunks.set(hashes.chunks, stretch.firstChunk * DIGEST_BYTES);
    this.#pieces.set(hashes.pieces, stretch.firstPiece * DIGEST_BYTES);
  }

  #settle(): void {
    this.#letGo();
    if (this.#failure !== undefined) {
      this.#outcome.reject(this.#failure);
      return;
    }
    const digests = { whole: this.#whole, chunks: this.#chunks, pieces: this.#pieces };
    this.#outcome.resolve(shapeHashes(this.#plan, digests));
  }

  /** Listens to the signal and reports progress; returns how to end both. */
  #attend({ signal, onProgress }: HashOptions): () => void {
    const abort = () => this.stop(interrupted(this.path, signal?.reason));
    signal?.addEventListener('abort', abort, { once: true });
    const report = () => onProgress?.(this.bytesDone);
    const timer = onProgress && setInterval(report, REPORT_INTERVAL).unref();
    return () => {
      signal?.removeEventListener('abort', abort);
      clearInterval(timer);
      if (this.#failure === undefined) onProgress?.(this.#plan.size);
    };
  }
}

function bytesIn(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}
