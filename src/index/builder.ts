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

/** A decision that a release reveals. */
export interface RevealedDecision {
  /** Of its commitment. */
  readonly index: number;
  readonly time: string;
  readonly person: string;
  readonly decision: string;
  /** What it says beyond its kind; '' for nothing. */
  readonly detail: string;
}

/** Finds what a published release reveals. */
export type DecisionsOf = (release: ReleaseName) => Promise<readonly RevealedDecision[]>;

/** Releases whose documents are asked for at a time. */
const MANIFESTS_AT_ONCE = 16;
/** The store does not answer now: the entry waits. Any other failure is the document's own. */
const PASSING = ['network', 'overloaded', 'interrupted', 'unknown-outcome'] as const;

/** An entry with what its rows need beyond its own bytes. */
interface Indexed {
  readonly leaf: Uint8Array;
  readonly parsed: ParsedEntry | undefined;
  readonly manifest: Manifest | undefined;
  readonly decisions: readonly RevealedDecision[];
}

export class Builder {
  readonly #database: DatabaseSync;
  readonly #host: Pick<Host, 'sha256'>;
  readonly #origin: string;
  readonly #manifestOf: ManifestOf;
  readonly #decisionsOf: DecisionsOf;
  readonly #insert: ReturnType<typeof insertions>;
  readonly #setTree: StatementSync;
  #tree: CompactRange;

  constructor(
    database: DatabaseSync,
    host: Pick<Host, 'sha256'>,
    origin: string,
    manifestOf: ManifestOf,
    decisionsOf: DecisionsOf = async () => [],
  ) {
    this.#database = database;
    this.#host = host;
    this.#origin = origin;
    this.#manifestOf = manifestOf;
    this.#decisionsOf = decisionsOf;
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
    const leaf = leafHash(this.#host, bytes);
    if (parsed?.known !== true || parsed.entry.kind !== 'release') {
      return { leaf, parsed, manifest: undefined, decisions: [] };
    }
    const { release, decisions } = parsed.entry;
    return {
      leaf,
      parsed,
      manifest: await this.#orNothing(release, this.#manifestOf),
      decisions:
        (decisions === undefined ? undefined : await this.#orNothing(release, this.#decisionsOf)) ??
        [],
    };
  }

  /** A release whose documents have rotted is listed without them, and does not stop the index. */
  async #orNothing<T>(
    reference: string,
    read: (release: ReleaseName) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await read(parseReleaseName(reference));
    } catch (error) {
      if (!isCoded(error) || PASSING.some((code) => isCoded(error, code))) throw error;
      return undefined;
    }
  }

  #writeOne(index: number, { parsed, manifest, decisions }: Indexed): void {
    if (!parsed?.known) return;
    const { entry } = parsed;
    if (entry.kind === 'namespace') {
      this.#event(index, entry, entry.namespace, `The namespace ${entry.namespace} began`);
    } else if (entry.kind === 'policy') {
      this.#event(index, entry, entry.namespace, `${entry.namespace} has a new policy`);
    } else if (entry.kind === 'release') {
      this.#release(index, entry, manifest);
      for (const each of decisions) this.#decision(each, entry);
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

  /** At the entry of its commitment, of which nobody knew until now what it was about. */
  #decision(decision: RevealedDecision, entry: EntryOf<'release'>): void {
    const { namespace } = parseReleaseName(entry.release);
    const said = { time: decision.time, kind: 'commitment' };
    this.#event(decision.index, said, namespace, describeDecision(decision, entry.release), entry);
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

const DID: Readonly<Record<string, string>> = {
  seal: 'sealed',
  evaluate: 'evaluated',
  approve: 'approved',
  object: 'objected to',
  hold: 'held',
  postpone: 'postponed',
  lift: 'lifted what stopped',
};

function describeDecision({ person, decision, detail }: RevealedDecision, release: string): string {
  const did = DID[decision] ?? decision;
  return `${person} ${did} ${release}${detail === '' ? '' : `: ${detail}`}`;
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
    release: into('releases', 9),
    advisory: into('advisories', 5),
    event: into('events', 8),
    words: database.prepare('INSERT INTO search (rowid, words) VALUES (?, ?)'),
  };
}
