/** From log entries to rows. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Digest } from '../core/digest.ts';
import { CodedError, isCoded } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { CompactRange } from '../core/log/compact-range.ts';
import { type EntryOf, type ParsedEntry, parseEntry } from '../core/log/entry.ts';
import { leafHash } from '../core/log/merkle.ts';
import type { Manifest } from '../core/release/manifest.ts';
import { parseReleaseName, type ReleaseName, versionKey } from '../core/release/name.ts';
import { makeTables } from './schema.ts';
import { searchedWords } from './search.ts';

/** Finds the manifest of a published release; undefined when it cannot be read. */
export type ManifestOf = (release: ReleaseName) => Promise<Manifest | undefined>;

/** Manifests asked for at a time. */
const MANIFESTS_AT_ONCE = 16;
/** The store does not answer now: the entry waits. Any other failure is the document's own. */
const PASSING = ['network', 'overloaded', 'interrupted', 'unknown-outcome'] as const;

/** An entry with what its rows need beyond its own bytes. */
interface Indexed {
  readonly leaf: Uint8Array;
  readonly parsed: ParsedEntry | undefined;
  readonly manifest: Manifest | undefined;
}

export class Builder {
  readonly #database: DatabaseSync;
  readonly #host: Pick<Host, 'sha256'>;
  readonly #origin: string;
  readonly #manifestOf: ManifestOf;
  readonly #insert: ReturnType<typeof insertions>;
  readonly #setTree: StatementSync;
  #tree: CompactRange;

  constructor(
    database: DatabaseSync,
    host: Pick<Host, 'sha256'>,
    origin: string,
    manifestOf: ManifestOf,
  ) {
    this.#database = database;
    this.#host = host;
    this.#origin = origin;
    this.#manifestOf = manifestOf;
    this.#tree = loadTree(database, host, origin);
    this.#insert = insertions(database);
    this.#setTree = database.prepare('UPDATE tree SET size = ?, nodes = ?');
  }

  /** The tree that is indexed. */
  get tree(): CompactRange {
    return this.#tree;
  }

  /** Forgets everything. */
  clear(): void {
    makeTables(this.#database);
    this.#tree = loadTree(this.#database, this.#host, this.#origin);
  }

  /** What has to be known of `entries` before they can be written: all that takes waiting. */
  async prepare(entries: readonly Uint8Array[]): Promise<Indexed[]> {
    const indexed: Indexed[] = [];
    for (let i = 0; i < entries.length; i += MANIFESTS_AT_ONCE) {
      const group = entries.slice(i, i + MANIFESTS_AT_ONCE);
      indexed.push(...(await Promise.all(group.map((entry) => this.#prepareOne(entry)))));
    }
    return indexed;
  }

  /** Appends to the index. It lasts once `commit` is called; until then `rollback` forgets it. */
  write(entries: readonly Indexed[]): void {
    if (!this.#database.isTransaction) this.#database.exec('BEGIN IMMEDIATE');
    const tree = this.#tree.copy();
    for (const entry of entries) {
      this.#writeOne(tree.size, entry);
      tree.append(entry.leaf);
    }
    this.#setTree.run(tree.size, tree.format());
    this.#tree = tree;
  }

  commit(): void {
    if (this.#database.isTransaction) this.#database.exec('COMMIT');
  }

  rollback(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    this.#tree = loadTree(this.#database, this.#host, this.#origin);
  }

  async #prepareOne(bytes: Uint8Array): Promise<Indexed> {
    const parsed = parsedOrNot(bytes);
    const isRelease = parsed?.known === true && parsed.entry.kind === 'release';
    return {
      leaf: leafHash(this.#host, bytes),
      parsed,
      manifest: isRelease ? await this.#manifest(parsed.entry.release) : undefined,
    };
  }

  /** A release whose manifest has rotted is listed without its files, and does not stop the index. */
  async #manifest(reference: string): Promise<Manifest | undefined> {
    try {
      return await this.#manifestOf(parseReleaseName(reference));
    } catch (error) {
      if (!isCoded(error) || PASSING.some((code) => isCoded(error, code))) throw error;
      return undefined;
    }
  }

  #writeOne(index: number, { leaf, parsed, manifest }: Indexed): void {
    this.#insert.leaf.run(leaf, index);
    if (!parsed?.known) return;
    const { entry } = parsed;
    if (entry.kind === 'namespace') {
      this.#event(index, entry, entry.namespace, `The namespace ${entry.namespace} began`);
    } else if (entry.kind === 'policy') {
      this.#event(index, entry, entry.namespace, `${entry.namespace} has a new policy`);
    } else if (entry.kind === 'release') {
      this.#release(index, entry, manifest);
    } else if (entry.kind === 'advisory') {
      this.#advisory(index, entry);
    } else if (entry.kind === 'announcement') {
      const { namespace } = parseReleaseName(entry.release);
      this.#event(index, entry, namespace, describeAnnouncement(entry), entry);
    }
  }

  #release(index: number, entry: EntryOf<'release'>, manifest: Manifest | undefined): void {
    const { namespace, name, version } = parseReleaseName(entry.release);
    const added = this.#insert.release.run(
      index,
      namespace,
      name,
      version,
      versionKey(version),
      entry.digest,
      entry.time,
      manifest?.size ?? 0,
      manifest?.files.length ?? 0,
    );
    this.#event(index, entry, namespace, `${entry.release} was published`, entry);
    // A second release of one reference is for the auditor to report; the first one stands.
    if (added.changes === 0) return;
    this.#insert.words.run(index, searchedWords(entry.release, entry.digest as Digest, manifest));
  }

  #advisory(index: number, entry: EntryOf<'advisory'>): void {
    const { digest, advisory, summary, time } = entry;
    const { namespace } = parseReleaseName(entry.release);
    this.#insert.advisory.run(index, digest, advisory, summary, time);
    this.#event(index, entry, namespace, `${entry.release}: ${advisory}: ${summary}`, entry);
  }

  #event(
    index: number,
    { time, kind }: { time: string; kind: string },
    namespace: string,
    text: string,
    about?: { readonly release: string; readonly digest?: string },
  ): void {
    const name = about === undefined ? null : parseReleaseName(about.release).name;
    const { release = null, digest = null } = about ?? {};
    this.#insert.event.run(index, namespace, name, time, kind, release, digest, text);
  }
}

function describeAnnouncement({ release, announcement, date }: EntryOf<'announcement'>): string {
  if (announcement === 'announced') return `${release} was announced for ${date}`;
  return `${release} was postponed ${date === null ? 'until further notice' : `to ${date}`}`;
}

/** The tree that the index holds; an empty one, and empty tables, where it is of another registry. */
function loadTree(
  database: DatabaseSync,
  host: Pick<Host, 'sha256'>,
  origin: string,
): CompactRange {
  const stored = database.prepare('SELECT origin, size, nodes FROM tree').get();
  if (stored?.origin === origin) {
    return CompactRange.parse(host, stored.size as number, stored.nodes as Uint8Array);
  }
  if (stored !== undefined) makeTables(database);
  const tree = CompactRange.empty(host);
  database.prepare('INSERT INTO tree VALUES (?, ?, ?)').run(origin, tree.size, tree.format());
  return tree;
}

/** The entry, or undefined for one that no reader would accept: the auditor reports it. */
function parsedOrNot(bytes: Uint8Array): ParsedEntry | undefined {
  try {
    const parsed = parseEntry(bytes);
    if (parsed.known && 'release' in parsed.entry) parseReleaseName(parsed.entry.release);
    return parsed;
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

function insertions(database: DatabaseSync) {
  const into = (table: string, columns: number): StatementSync =>
    database.prepare(
      `INSERT OR IGNORE INTO ${table} VALUES (${Array(columns).fill('?').join(', ')})`,
    );
  return {
    leaf: into('leaves', 2),
    release: into('releases', 9),
    advisory: into('advisories', 5),
    event: into('events', 8),
    words: database.prepare('INSERT INTO search (rowid, words) VALUES (?, ?)'),
  };
}
