/** Counts what is asked of a store: every operation is a request to S3. */
import type { Disk } from './memory-store.ts';

/** Entries of two logs: both end in the same place of a tile, the second has a level more. */
export const [SMALL, LARGE] = [1_000, 100_072];

/** What was asked for, by the kind of operation and the kind of key. */
export interface Cost {
  readonly total: number;
  readonly each: Readonly<Record<string, number>>;
}

export class RequestCount {
  readonly #asked = new Map<string, number>();

  /** The disk as a store whose requests are counted. */
  open(disk: Disk) {
    return disk.open({
      turns: ({ kind, key }) => {
        const what = `${kind} ${kindOf(key)}`;
        this.#asked.set(what, (this.#asked.get(what) ?? 0) + 1);
        return 0;
      },
    });
  }

  /** What `act` asked for. */
  async of(act: () => Promise<unknown>): Promise<Cost> {
    this.#asked.clear();
    await act();
    const each = Object.fromEntries([...this.#asked].sort());
    return { total: Object.values(each).reduce((a, b) => a + b, 0), each };
  }
}

/** A key without what is different in each: numbers of tiles, digests, random names. */
function kindOf(key: string): string {
  return key.replace(/\/[x0-9./p-]+$|\/[0-9a-f-]{16,}$/, '');
}
