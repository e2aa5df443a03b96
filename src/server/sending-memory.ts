/**
 * The memory in which content waits for its readers. While there is plenty every response gets
 * the blocks with which sending is fastest; the fuller it is the smaller they are, so that a
 * thousand readers who take nothing hold no more than a hundred.
 */

/** Bytes of a block, and blocks of a response: measured. */
export const BLOCK_BYTES = 512 * 1024;
export const BLOCKS = 4;
/** The smallest block: a slow reader needs no larger one. */
export const MIN_BLOCK_BYTES = 16 * 1024;
/** Bytes of all blocks, but for responses that were given the smallest ones after that. */
export const SENDING_BYTES = 256 * 2 ** 20;

/** One response gets at most this part of what is left. */
const SHARE = 1 / 8;

export class SendingMemory {
  #left = SENDING_BYTES;

  /** Bytes of each block of a new response. */
  take(): number {
    const share = Math.floor((this.#left * SHARE) / BLOCKS);
    const block = Math.max(MIN_BLOCK_BYTES, Math.min(BLOCK_BYTES, share));
    this.#left -= block * BLOCKS;
    return block;
  }

  /** The blocks of that size of a response are free again. */
  giveBack(block: number): void {
    this.#left += block * BLOCKS;
  }
}
