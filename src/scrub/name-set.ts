/**
 * A set of very many random names (32 hex digits) in a bounded memory: of those that begin
 * with a byte of a range, the first eight bytes. The range shrinks when there are too many;
 * the rest is another round's. Two names that share eight random bytes are taken for one,
 * which makes nobody an orphan.
 */
const MAX_NAMES = 2 ** 21;

export class NameSet {
  readonly from: number;
  /** The first byte that is not in this set's range. */
  to = 256;
  #names: BigUint64Array;
  #count = 0;

  /** `max` is fewer only in tests. */
  constructor(from: number, max = MAX_NAMES) {
    this.from = from;
    this.#names = new BigUint64Array(max);
  }

  /** Before `seal`. */
  add(name: string): void {
    const first = Number.parseInt(name.slice(0, 2), 16);
    if (first < this.from || first >= this.to) return;
    if (this.#count === this.#names.length) this.#shrink();
    if (first < this.to) this.#names[this.#count++] = prefixOf(name);
  }

  /** No more names come. */
  seal(): void {
    this.#names = this.#names.subarray(0, this.#count).sort();
  }

  /** After `seal`, for a name within the range. */
  has(name: string): boolean {
    const wanted = prefixOf(name);
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = this.#names[middle]!;
      if (found === wanted) return true;
      if (found < wanted) low = middle + 1;
      else high = middle;
    }
    return false;
  }

  /** Gives up the upper half of the range; where it has but one byte, there must be room for it. */
  #shrink(): void {
    if (this.to - this.from === 1) {
      const larger = new BigUint64Array(2 * this.#names.length);
      larger.set(this.#names);
      this.#names = larger;
      return;
    }
    this.to = this.from + Math.ceil((this.to - this.from) / 2);
    const end = BigInt(this.to) << 56n;
    const kept = this.#names.subarray(0, this.#count).filter((name) => name < end);
    this.#names.set(kept);
    this.#count = kept.length;
    if (this.#count === this.#names.length) this.#shrink();
  }
}

function prefixOf(name: string): bigint {
  return BigInt(`0x${name.slice(0, 16)}`);
}
