/** The hashing of bytes that lie in no local file: they are carried over to a thread block by block. */
import { CodedError } from '../core/error.ts';
import { wantedIn, wholePlan } from './cut.ts';
import { type Hashes, type HashPlan, shapeHashes } from './plan.ts';
import { BLOCK_BYTES } from './stretch.ts';
import type { HashingThread } from './thread.ts';

/** Blocks of one stream that may be on their way; with them a stream takes 1 MiB of memory. */
const BLOCKS = 4;

let opened = 0;

/** Takes bytes in order, as they come. Await each `write` before the next: that is the backpressure. */
export class HashStream<P extends HashPlan = HashPlan> {
  readonly #plan: P;
  readonly #name: string;
  readonly #thread: HashingThread;
  readonly #stream = opened++;
  /** Blocks on their way, oldest first. The thread sends each one's memory back. */
  readonly #underWay: Promise<ArrayBuffer>[] = [];
  #block: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  #sent = 0;
  #taken = 0;

  /** `name` is what messages call it. Use `HashingPool.openStream`. */
  constructor(thread: HashingThread, plan: P, name: string) {
    this.#plan = plan;
    this.#name = name;
    this.#thread = thread;
    const wanted = wantedIn(wholePlan(plan), plan);
    ignore(thread.call({ kind: 'stream-open', stream: this.#stream, wanted }));
  }

  /**
   * Hashes `bytes`, which may be used for something else once this resolves. Throws
   * `digest-mismatch` at the first byte over `plan.size`.
   */
  async write(bytes: Uint8Array): Promise<void> {
    this.#taken += bytes.length;
    if (this.#taken > this.#plan.size) throw this.#wrongLength('more');
    for (let rest = bytes; rest.length > 0; ) {
      this.#block ??= await this.#emptyBlock();
      const part = rest.subarray(0, BLOCK_BYTES - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled === BLOCK_BYTES) this.#send(this.#block);
    }
  }

  /** The digests. Throws `digest-mismatch` when fewer than `plan.size` bytes came. */
  async finish(): Promise<Hashes<P>> {
    if (this.#taken < this.#plan.size) throw this.#wrongLength('fewer');
    if (this.#block !== undefined) this.#send(this.#block);
    const raw = await this.#thread.call({ kind: 'stream-finish', stream: this.#stream });
    return shapeHashes(this.#plan, raw) as Hashes<P>;
  }

  /** Forgets the stream; needed only where `finish` is not called. */
  drop(): void {
    ignore(this.#thread.call({ kind: 'stream-drop', stream: this.#stream }));
  }

  #send({ buffer: memory }: Uint8Array<ArrayBuffer>): void {
    const place = { stream: this.#stream, offset: this.#sent, length: this.#filled };
    const coming = this.#thread.call({ kind: 'stream-block', memory, ...place }, [memory]);
    this.#underWay.push(ignore(coming));
    this.#sent += this.#filled;
    this.#filled = 0;
    this.#block = undefined;
  }

  async #emptyBlock(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#underWay.length < BLOCKS) return new Uint8Array(BLOCK_BYTES);
    return new Uint8Array((await this.#underWay.shift())!);
  }

  #wrongLength(how: 'more' | 'fewer'): CodedError {
    const { size } = this.#plan;
    return new CodedError(
      'digest-mismatch',
      `${this.#name} has ${how} bytes than the ${size} declared`,
    );
  }
}

/** A thread that failed is found by the next call that waits for it; until then nobody need hear. */
function ignore<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
