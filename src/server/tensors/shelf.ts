/**
 * Tensor inventories, parsed, and what pages ask of them: a page of a list, or of a difference.
 * To parse one of a hundred thousand tensors takes a second or two, so those asked for last
 * stay; the rest of it takes milliseconds.
 */
import { BoundedMap } from '../../core/bounded-map.ts';
import type { Digest } from '../../core/digest.ts';
import {
  type Change,
  compareTensors,
  type Fate,
  fateOf,
  filesOf,
  type TensorContent,
} from '../../core/weights/compare.ts';
import { parseInventory } from '../../core/weights/inventory.ts';
import { type Stacks, tallyLayers } from '../../core/weights/layers.ts';
import { sumWeights, type WeightsSums } from '../../core/weights/summary.ts';
import { countElements } from '../../core/weights/tensor.ts';

/** Tensors of one page. */
export const TENSORS_A_PAGE = 200;
/** Tensors of the inventories that are kept: of each some 320 bytes. */
const KEPT_TENSORS = 600_000;
/** Releases whose sums are kept. */
const KEPT_SUMS = 10_000;
/** Tensors that the searches found that are kept, and one more for each. */
const KEPT_FOUND = 300_000;
/** Changes of the differences that are kept, and one more for each. */
const KEPT_CHANGES = 300_000;

/** Tensors of one dtype. */
export interface DtypeSum {
  readonly dtype: string;
  readonly tensors: number;
  readonly parameters: number;
  readonly bytes: number;
}

export interface TensorPage {
  /** All that the release has. */
  readonly all: number;
  /** Those that were found, and their sums by dtype, the most bytes first. */
  readonly found: number;
  readonly sums: readonly DtypeSum[];
  /** Files that tensors lie in. */
  readonly files: readonly string[];
  /** In the order of the files, and in them as they lie. */
  readonly tensors: readonly TensorContent[];
}

export interface TensorDifference {
  readonly counts: Readonly<Record<Fate, number>>;
  /** Tensors that are the same on both sides. */
  readonly same: number;
  /** Files that changed tensors lie in, on either side. */
  readonly files: ReadonlySet<string>;
  readonly layers: Stacks;
  /** Of one page: changed, then added, then removed. */
  readonly changes: readonly Change<TensorContent>[];
}

/** All that was found, of which a page has a part; and all that differs. */
type Found = Omit<TensorPage, 'found'>;
type Compared = TensorDifference;

const ORDER: readonly Fate[] = ['changed', 'added', 'removed'];

export class Shelf {
  readonly #tensors = new BoundedMap<Digest, readonly TensorContent[]>(
    KEPT_TENSORS,
    ({ length }) => length,
  );
  readonly #sums = new BoundedMap<Digest, WeightsSums>(KEPT_SUMS);
  readonly #found = new BoundedMap<string, Found>(KEPT_FOUND, ({ tensors }) => tensors.length + 1);
  readonly #compared = new BoundedMap<string, Compared>(
    KEPT_CHANGES,
    ({ changes }) => changes.length + 1,
  );

  /** The first of these inventories that is not here. */
  lacks(digests: readonly Digest[]): Digest | undefined {
    return digests.find((digest) => this.#tensors.get(digest) === undefined);
  }

  /** Takes in an inventory, whose bytes were checked. Throws what `parseInventory` throws. */
  keep(digest: Digest, bytes: Uint8Array): void {
    const inventory = parseInventory(bytes);
    this.#sums.set(digest, sumWeights(inventory));
    const tensors = inventory.files.flatMap(({ path, tensors: theirs }) =>
      theirs.map(({ name, dtype, shape, size, sha256 }): TensorContent => {
        return { name, dtype, shape, size, sha256, file: path };
      }),
    );
    this.#tensors.set(digest, tensors);
  }

  /** The weights in a few numbers; undefined for an inventory that is not here. */
  sums(digest: Digest): WeightsSums | undefined {
    return this.#sums.get(digest);
  }

  /** Page `page`, from 1, of the tensors with `words` in their names, in whatever case. */
  page(digest: Digest, words: string, page: number): TensorPage {
    const found = this.#find(digest, words.toLowerCase());
    return { ...found, found: found.tensors.length, tensors: pageOf(found.tensors, page) };
  }

  /** What makes `after` of `before`, with page `page` of its changes. */
  compare(before: Digest, after: Digest, page: number): TensorDifference {
    const compared = this.#compare(before, after);
    return { ...compared, changes: pageOf(compared.changes, page) };
  }

  /** Whoever leafs through what was found, searches once. */
  #find(digest: Digest, words: string): Found {
    const asked = `${digest} ${words}`;
    const known = this.#found.get(asked);
    if (known !== undefined) return known;
    const found = find(this.#get(digest), words);
    this.#found.set(asked, found);
    return found;
  }

  #compare(before: Digest, after: Digest): Compared {
    const pair = `${before} ${after}`;
    const known = this.#compared.get(pair);
    if (known !== undefined) return known;
    const compared = compare(this.#get(before), this.#get(after));
    this.#compared.set(pair, compared);
    return compared;
  }

  #get(digest: Digest): readonly TensorContent[] {
    return this.#tensors.get(digest) ?? [];
  }
}

function find(all: readonly TensorContent[], words: string): Found {
  const tensors = words === '' ? all : all.filter(({ name }) => name.toLowerCase().includes(words));
  const files = [...new Set(all.map(({ file }) => file))];
  return { all: all.length, sums: sumsOf(tensors), files, tensors };
}

function compare(before: readonly TensorContent[], after: readonly TensorContent[]): Compared {
  const found = compareTensors(before, after);
  const byFate = (fate: Fate) => found.filter((change) => fateOf(change) === fate);
  const [changed, added, removed] = ORDER.map(byFate) as [typeof found, typeof found, typeof found];
  return {
    counts: { changed: changed.length, added: added.length, removed: removed.length },
    same: after.length - changed.length - added.length,
    files: filesOf(found),
    layers: tallyLayers(before, found),
    changes: [...changed, ...added, ...removed],
  };
}

function pageOf<T>(items: readonly T[], page: number): readonly T[] {
  return items.slice((page - 1) * TENSORS_A_PAGE, page * TENSORS_A_PAGE);
}

function sumsOf(tensors: readonly TensorContent[]): DtypeSum[] {
  const sums = new Map<string, { tensors: number; parameters: number; bytes: number }>();
  for (const { dtype, shape, size } of tensors) {
    const sum = sums.get(dtype) ?? { tensors: 0, parameters: 0, bytes: 0 };
    sums.set(dtype, sum);
    sum.tensors++;
    sum.parameters += countElements(shape) ?? 0;
    sum.bytes += size;
  }
  return [...sums]
    .map(([dtype, sum]) => ({ dtype, ...sum }))
    .sort((a, b) => b.bytes - a.bytes || b.tensors - a.tensors);
}
