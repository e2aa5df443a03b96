/**
 * Tensors of releases, for whoever describes them. They are known to a thread of its own, with memory of its own:
 * what parses a hundred thousand of them would keep every other request waiting, and an
 * inventory that is too much for it ends the thread and not the server.
 */
import { extname } from 'node:path';
import type { Digest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import type { Manifest } from '../../core/release/manifest.ts';
import { parseInventory } from '../../core/weights/inventory.ts';
import { MAX_SUMMARISED_BYTES, sumWeights, type WeightsSums } from '../../core/weights/summary.ts';
import { CallingThread } from '../../hashing/calls.ts';
import type { PublishedRelease, Registry } from '../../registry/registry.ts';
import { type Answered, type Answers, type Kept, NAME, type Question } from './protocol.ts';
import type { TensorDifference, TensorPage } from './shelf.ts';

/** The longest inventory that pages show: some 150,000 tensors, as the largest known models have. */
export const MAX_SHOWN_INVENTORY = 32 * 2 ** 20;

/** Inventories of some two hundred tensors are summed up on the spot, in a millisecond or two. */
const SHORT_INVENTORY = 32 * 1024;

/** The thread's program lies beside this file: `.ts` in a checkout, `.js` in `dist`. */
const PROGRAM = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

/** What two of the longest inventories, and parsing a third, take. */
const MEMORY = { maxOldGenerationSizeMb: 1_024 };

/** Inventories that are fetched for one question; it has two, and others may push them out again. */
const MAX_FETCHES = 4;

/** Whether pages show the tensors of a release. */
export type Extent = 'none' | 'shown' | 'too-large';

export function extentOf({ tensors }: Manifest): Extent {
  if (tensors === undefined) return 'none';
  return tensors.size > MAX_SHOWN_INVENTORY ? 'too-large' : 'shown';
}

export class Tensors {
  readonly #registry: Registry;
  readonly #fetching = new Map<Digest, Promise<void>>();
  #thread: CallingThread<Question | Kept, Answers> | undefined;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** The weights in a few numbers; undefined where there are none, or too many to be read for it. */
  async sums(published: PublishedRelease): Promise<WeightsSums | undefined> {
    const { release, manifest } = published;
    const size = manifest.tensors?.size ?? Number.POSITIVE_INFINITY;
    if (size > MAX_SUMMARISED_BYTES) return undefined;
    if (size <= SHORT_INVENTORY) {
      return sumWeights(parseInventory(await this.#registry.document(release, 'tensors.json')));
    }
    const question = { kind: 'sums', of: inventoryOf(published) } as const;
    return this.#ask([published], () => this.#open().call(question));
  }

  /** A page of the tensors with `words` in their names. The release must have tensors that are shown. */
  page(published: PublishedRelease, words: string, page: number): Promise<TensorPage> {
    const question = { kind: 'page', of: inventoryOf(published), words, page } as const;
    return this.#ask([published], () => this.#open().call(question));
  }

  /** What makes `after` of `before`, with a page of the changes. Both must have tensors that are shown. */
  compare(
    before: PublishedRelease,
    after: PublishedRelease,
    page: number,
  ): Promise<TensorDifference> {
    const sides = { before: inventoryOf(before), after: inventoryOf(after) };
    const question = { kind: 'compare', ...sides, page } as const;
    return this.#ask([before, after], () => this.#open().call(question));
  }

  /** Asks until the thread has all that it takes to answer. */
  async #ask<T>(about: readonly PublishedRelease[], ask: () => Promise<Answered<T>>): Promise<T> {
    for (let fetches = 0; fetches <= MAX_FETCHES; fetches++) {
      const answered = await ask();
      if ('answer' in answered) return answered.answer;
      await this.#fetch(about.find((each) => inventoryOf(each) === answered.lacks)!);
    }
    throw new CodedError('overloaded', 'too many long lists of tensors are asked for at once', {
      retryAfterSeconds: 5,
    });
  }

  /** Gives the thread an inventory, once for all who ask for it meanwhile. */
  #fetch(published: PublishedRelease): Promise<void> {
    const digest = inventoryOf(published);
    const known = this.#fetching.get(digest);
    if (known !== undefined) return known;
    const fetching = this.#give(published, digest).finally(() => this.#fetching.delete(digest));
    this.#fetching.set(digest, fetching);
    return fetching;
  }

  async #give({ release }: PublishedRelease, digest: Digest): Promise<void> {
    const bytes = await this.#registry.document(release, 'tensors.json');
    await this.#open().call({ kind: 'keep', digest, bytes });
  }

  /** The thread; another one after one that has ended. */
  #open(): CallingThread<Question | Kept, Answers> {
    if (this.#thread?.ended ?? true) this.#thread = new CallingThread(PROGRAM, NAME, MEMORY);
    return this.#thread!;
  }
}

function inventoryOf({ manifest }: PublishedRelease): Digest {
  return manifest.tensors!.sha256;
}
