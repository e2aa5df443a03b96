/**
 * The index follows the published log: it catches up when it is opened and then looks for
 * news by itself. What it has is proved to be the beginning of the log before anything is
 * added; where that fails (another log, a rolled-back one) it is emptied and built again.
 */
import { hash } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { atMost } from '../core/at-most.ts';
import { equal } from '../core/bytes.ts';
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { parseCheckpoint, type TreeHead } from '../core/log/checkpoint.ts';
import { checkConsistency } from '../core/log/merkle.ts';
import { parseNote } from '../core/note/note.ts';
import type { Model, ReleaseName } from '../core/release/name.ts';
import { type LogReader, MAX_ENTRIES_AT_ONCE } from '../log/reader.ts';
import { Builder, type DecisionsOf, type ManifestOf } from './builder.ts';
import type {
  AdvisedRelease,
  Catalogue,
  CatalogueEvent,
  CatalogueModel,
  CatalogueQuery,
  CatalogueRelease,
} from './catalogue.ts';
import { isDamaged, openDatabase } from './schema.ts';
import { SqliteCatalogue } from './sqlite-catalogue.ts';

/** Milliseconds between two looks at the log. */
const LOOK_EVERY_MS = 200;

/** Batches of entries that are committed together. */
const BATCHES_IN_COMMIT = 64;

const hasher: Pick<Host, 'sha256'> = {
  sha256: (data) => new Uint8Array(hash('sha256', data, 'buffer')),
};

/** After how many seconds to ask again an index that is being built. */
const BUILDING_RETRY_SECONDS = 5;

/**
 * A catalogue that follows the log until it is closed. While it is being built for the first
 * time every question is refused with `overloaded`: half a list would look like a whole one.
 */
export interface FollowingCatalogue extends Catalogue {
  /** Is it far behind the log, and answers nothing yet? */
  readonly isBuilding: boolean;
  /** Returns once everything that is published by now is in the index; at once while it is being built. */
  catchUp(): Promise<void>;
  close(): void;
}

export interface FollowOptions {
  /** Milliseconds between two looks at the log; 0 to look only when asked to. */
  readonly every?: number;
  /** Milliseconds that opening waits until the index has caught up; by default as long as it takes. */
  readonly patience?: number;
  /** What a release reveals of its decisions, for histories. */
  readonly decisionsOf?: DecisionsOf;
  /** Told of a look that failed; the next one tries again. */
  readonly failed?: (cause: unknown) => void;
}

/**
 * Opens the index at `path`, which is made or mended where need be, and catches up; what
 * takes longer than `patience` goes on beside. Throws `conflict` when another process has it
 * open.
 */
export async function openCatalogue(
  path: string,
  log: LogReader,
  manifestOf: ManifestOf,
  options: FollowOptions = {},
): Promise<FollowingCatalogue> {
  const { note } = await log.published();
  const { origin } = parseCheckpoint(parseNote(note).text);
  try {
    return await openFollowing(path, log, origin, manifestOf, options);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
    return openFollowing(path, log, origin, manifestOf, options);
  }
}

async function openFollowing(
  path: string,
  log: LogReader,
  origin: string,
  manifestOf: ManifestOf,
  options: FollowOptions,
): Promise<FollowingCatalogue> {
  const database = openDatabase(path);
  try {
    const builder = new Builder(database, hasher, origin, manifestOf, options.decisionsOf);
    const catalogue = new Following(database, builder, log);
    await catalogue.build(options);
    catalogue.follow(options);
    return catalogue;
  } catch (error) {
    database.close();
    throw error;
  }
}

class Following extends SqliteCatalogue implements FollowingCatalogue {
  readonly #open: DatabaseSync;
  readonly #builder: Builder;
  readonly #log: LogReader;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  /** Entries that the log had when building the index began, until it has been built. */
  #goal: number | undefined = 0;
  /** The looks at the log, one after another: each begins after its caller asked for it. */
  #last: Promise<void> = Promise.resolve();

  constructor(database: DatabaseSync, builder: Builder, log: LogReader) {
    super(database);
    this.#open = database;
    this.#builder = builder;
    this.#log = log;
  }

  get isBuilding(): boolean {
    return this.#goal !== undefined;
  }

  override releases(query: CatalogueQuery): readonly CatalogueRelease[] {
    this.#requireBuilt();
    return super.releases(query);
  }

  override release(release: ReleaseName): CatalogueRelease | undefined {
    this.#requireBuilt();
    return super.release(release);
  }

  override byDigest(model: Model, digest: Digest): CatalogueRelease | undefined {
    this.#requireBuilt();
    return super.byDigest(model, digest);
  }

  override history(model: Model): readonly CatalogueEvent[] {
    this.#requireBuilt();
    return super.history(model);
  }

  override events(start: number, end: number): readonly CatalogueEvent[] {
    this.#requireBuilt();
    return super.events(start, end);
  }

  override news(query: Parameters<Catalogue['news']>[0]): readonly CatalogueEvent[] {
    this.#requireBuilt();
    return super.news(query);
  }

  override advisories(query: Parameters<Catalogue['advisories']>[0]): readonly AdvisedRelease[] {
    this.#requireBuilt();
    return super.advisories(query);
  }

  override advisory(index: number): AdvisedRelease | undefined {
    this.#requireBuilt();
    return super.advisory(index);
  }

  override modelCount(): number {
    this.#requireBuilt();
    return super.modelCount();
  }

  override modelsByName(
    query: Parameters<Catalogue['modelsByName']>[0],
  ): readonly CatalogueModel[] {
    this.#requireBuilt();
    return super.modelsByName(query);
  }

  async catchUp(): Promise<void> {
    if (!this.isBuilding) await this.#look();
  }

  /** Catches up for the first time, for at most `patience`; then it goes on beside. */
  async build({ patience, failed = () => {} }: FollowOptions): Promise<void> {
    const built = this.#look();
    if (patience === undefined) return built;
    await atMost(patience, built);
    built.catch(failed);
  }

  #look(): Promise<void> {
    const next = this.#last.then(() => this.#advance());
    this.#last = next.catch(() => {});
    return next;
  }

  follow({ every = LOOK_EVERY_MS, failed = () => {} }: FollowOptions): void {
    if (every === 0 || this.#closed) return;
    this.#timer = setTimeout(async () => {
      await this.#look().catch(failed);
      this.follow({ every, failed });
    }, every);
    this.#timer.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#open.close();
  }

  /** Every wait may be the one in which the index is closed; nothing is written after it. */
  async #advance(): Promise<void> {
    if (this.#closed) return;
    const published = await this.#log.published();
    const begins = await this.#isBeginningOf(published);
    if (this.#closed) return;
    if (this.isBuilding) this.#goal = published.size;
    if (!begins) this.#builder.clear();
    try {
      await this.#append(published.size);
    } catch (error) {
      if (!this.#closed) this.#builder.rollback();
      throw error;
    }
    if (!this.#closed) this.#goal = undefined;
  }

  #requireBuilt(): void {
    if (this.#goal === undefined) return;
    throw new CodedError(
      'overloaded',
      `the index is being built: it has ${this.#builder.tree.size} of ${this.#goal} entries; ask again shortly, or for a release by its name, which takes no index`,
      { retryAfterSeconds: BUILDING_RETRY_SECONDS },
    );
  }

  /** While it is far behind, the index commits seldom, and the next entries are read beside. */
  async #append(size: number): Promise<void> {
    const builder = this.#builder;
    let coming = this.#prepare(builder.tree.size, size);
    for (let batch = 1; builder.tree.size < size; batch++) {
      const entries = await coming;
      coming = this.#prepare(builder.tree.size + entries.length, size);
      coming.catch(() => {});
      if (this.#closed) return;
      builder.write(entries);
      if (batch % BATCHES_IN_COMMIT === 0) builder.commit();
    }
    builder.commit();
  }

  async #prepare(start: number, size: number): Promise<Awaited<ReturnType<Builder['prepare']>>> {
    const end = Math.min(start + MAX_ENTRIES_AT_ONCE, size);
    if (start >= end) return [];
    return this.#builder.prepare(await this.#log.entries(start, end));
  }

  async #isBeginningOf(published: TreeHead): Promise<boolean> {
    const { size, root } = this.#builder.tree;
    if (size === published.size) return equal(root, published.root);
    if (size > published.size) return false;
    if (size === 0) return true;
    const proof = await this.#log.consistencyProof(size, published.size);
    const claim = {
      oldSize: size,
      oldRoot: root,
      newSize: published.size,
      newRoot: published.root,
      proof,
    };
    return checkConsistency(hasher, claim).ok;
  }
}
