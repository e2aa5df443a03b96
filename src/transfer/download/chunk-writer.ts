/**
 * Takes the bytes of a run of chunks as they come off the network: writes each block where it
 * belongs in the partial file and feeds it to the hash of its chunk, while it is in the
 * processor's cache. A chunk counts only when its SHA-256 is the one in the chunk list.
 */
import { createHash, type Hash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { chunkRange } from '../../core/release/chunks.ts';
import type { ChunkRun } from './stretch.ts';

export interface ChunkTarget {
  /** Open for writing, in this process. */
  readonly file: number;
  readonly size: number;
  readonly chunkSize: number;
  readonly run: ChunkRun;
  /** SHA-256 of each chunk of the run, 32 bytes apiece. */
  readonly digests: Uint8Array;
}

export class ChunkWriter {
  readonly #target: ChunkTarget;
  readonly #onChunk: (index: number, fits: boolean) => void;
  #index: number;
  #position: number;
  #left: number;
  #hash: Hash = createHash('sha256');

  constructor(target: ChunkTarget, onChunk: (index: number, fits: boolean) => void) {
    const { size, chunkSize, run } = target;
    const { offset, length } = chunkRange(size, chunkSize, run.first);
    this.#target = target;
    this.#onChunk = onChunk;
    this.#index = run.first;
    this.#position = offset;
    this.#left = length;
  }

  /** Takes the next bytes; the caller may use their memory again at once. */
  take(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0; ) {
      const block = rest.length <= this.#left ? rest : rest.subarray(0, this.#left);
      this.#hash.update(block);
      this.#write(block);
      this.#left -= block.length;
      if (this.#left === 0) this.#endChunk();
      rest = rest.subarray(block.length);
    }
  }

  #write(block: Uint8Array): void {
    for (let at = 0; at < block.length; ) {
      at += writeSync(this.#target.file, block, at, block.length - at, this.#position + at);
    }
    this.#position += block.length;
  }

  #endChunk(): void {
    const { run, digests, size, chunkSize } = this.#target;
    const at = (this.#index - run.first) * 32;
    const fits = this.#hash.digest().equals(digests.subarray(at, at + 32));
    this.#onChunk(this.#index, fits);
    this.#index++;
    if (this.#index === run.first + run.count) return;
    this.#hash = createHash('sha256');
    this.#left = chunkRange(size, chunkSize, this.#index).length;
  }
}
