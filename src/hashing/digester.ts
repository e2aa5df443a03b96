/** Several hashes over one pass: every block is fed to all of them while it is in the processor's cache. */
import { createHash, type Hash } from 'node:crypto';
import { DIGEST_BYTES, type RawHashes } from './plan.ts';

/**
 * The runs of bytes that one kind of hash is taken of: `begin(i)` and `end(i)` in bytes of
 * the file, ordered, without overlap.
 */
interface Runs {
  readonly count: number;
  begin(index: number): number;
  end(index: number): number;
}

/** What a digester takes; the shape in which it travels to a thread. */
export interface Wanted {
  /** Bytes of the file. */
  readonly size: number;
  readonly whole: boolean;
  /** 0 when no chunks are wanted. */
  readonly chunkSize: number;
  readonly firstChunk: number;
  readonly chunks: number;
  /** Offset and end of each piece in turn: numbers, since there may be very many. */
  readonly pieces: Float64Array;
}

export class Digester {
  readonly #whole: RunDigester;
  readonly #chunks: RunDigester;
  readonly #pieces: RunDigester;

  constructor(wanted: Wanted) {
    this.#whole = new RunDigester(wholeRun(wanted));
    this.#chunks = new RunDigester(chunkRuns(wanted));
    this.#pieces = new RunDigester(pieceRuns(wanted));
  }

  /** Takes `block`, which lies at `offset` in the file. Blocks come in order and without a gap. */
  update(block: Uint8Array, offset: number): void {
    this.#whole.update(block, offset);
    this.#chunks.update(block, offset);
    this.#pieces.update(block, offset);
  }

  finish(): RawHashes {
    return {
      whole: this.#whole.finish(),
      chunks: this.#chunks.finish(),
      pieces: this.#pieces.finish(),
    };
  }
}

/** The digests of one kind of runs. */
class RunDigester {
  readonly #runs: Runs;
  readonly #digests: Uint8Array;
  #index = 0;
  #hash: Hash | undefined;

  constructor(runs: Runs) {
    this.#runs = runs;
    this.#digests = new Uint8Array(runs.count * DIGEST_BYTES);
  }

  update(block: Uint8Array, offset: number): void {
    const blockEnd = offset + block.length;
    while (this.#index < this.#runs.count && this.#runs.begin(this.#index) < blockEnd) {
      const begin = Math.max(this.#runs.begin(this.#index), offset);
      const end = this.#runs.end(this.#index);
      this.#hash ??= createHash('sha256');
      this.#hash.update(block.subarray(begin - offset, Math.min(end, blockEnd) - offset));
      if (end > blockEnd) return;
      this.#close();
    }
  }

  finish(): Uint8Array {
    // Only empty runs at the very end can be left: no block begins behind them.
    while (this.#index < this.#runs.count) {
      if (this.#runs.begin(this.#index) !== this.#runs.end(this.#index)) {
        throw new Error('a digester was finished before all of its bytes had come');
      }
      this.#close();
    }
    return this.#digests;
  }

  #close(): void {
    const digest = (this.#hash ?? createHash('sha256')).digest();
    this.#digests.set(digest, this.#index * DIGEST_BYTES);
    this.#hash = undefined;
    this.#index++;
  }
}

function wholeRun({ whole, size }: Wanted): Runs {
  return { count: whole ? 1 : 0, begin: () => 0, end: () => size };
}

function chunkRuns({ size, chunkSize, firstChunk, chunks }: Wanted): Runs {
  return {
    count: chunks,
    begin: (index) => (firstChunk + index) * chunkSize,
    end: (index) => Math.min(size, (firstChunk + index + 1) * chunkSize),
  };
}

function pieceRuns({ pieces }: Wanted): Runs {
  return {
    count: pieces.length / 2,
    begin: (index) => pieces[2 * index]!,
    end: (index) => pieces[2 * index + 1]!,
  };
}
