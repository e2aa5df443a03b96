/** The questions that the index answers, in SQL. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Digest, parseDigest } from '../core/digest.ts';
import type { AdvisoryKind } from '../core/log/entry.ts';
import {
  formatReleaseName,
  type Model,
  parseModel,
  parseReleaseName,
  type ReleaseName,
  versionKey,
} from '../core/release/name.ts';
import {
  type AdvisedRelease,
  type Catalogue,
  type CatalogueAdvisory,
  type CatalogueEvent,
  type CatalogueModel,
  type CatalogueQuery,
  type CatalogueRelease,
  MAX_PAGE,
} from './catalogue.ts';
import { IS_NEWS } from './schema.ts';
import { searchExpression } from './search.ts';

type Row = Readonly<Record<string, unknown>>;

const NEWEST_FIRST = 'ORDER BY r.entry DESC LIMIT :limit';
const NEWEST_OF_MODEL = `r.entry = (
  SELECT MAX(same.entry) FROM releases same
  WHERE same.namespace = r.namespace AND same.name = r.name AND NOT EXISTS (
    SELECT 1 FROM advisories a WHERE a.digest = same.digest AND a.kind = 'recalled'))`;

export class SqliteCatalogue implements Catalogue {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  size(): number {
    return this.#first('SELECT size FROM tree')?.size as number;
  }

  releases(query: CatalogueQuery): readonly CatalogueRelease[] {
    return this.#page(query, []);
  }

  models(query: CatalogueQuery): readonly CatalogueRelease[] {
    return this.#page(query, [NEWEST_OF_MODEL]);
  }

  release({ namespace, name, version }: ReleaseName): CatalogueRelease | undefined {
    const row = this.#first(
      `SELECT * FROM releases
       WHERE namespace = :namespace AND name = :name AND version_key = :version`,
      { namespace, name, version: versionKey(version) },
    );
    return row && this.#release(row);
  }

  byDigest({ namespace, name }: Model, digest: Digest): CatalogueRelease | undefined {
    const row = this.#first(
      `SELECT * FROM releases
       WHERE namespace = :namespace AND name = :name AND digest = :digest ORDER BY entry`,
      { namespace, name, digest },
    );
    return row && this.#release(row);
  }

  history({ namespace, name }: Model): readonly CatalogueEvent[] {
    const events = this.#all(
      `SELECT * FROM events
       WHERE namespace = :namespace AND (name = :name OR name IS NULL) ORDER BY entry`,
      { namespace, name },
    );
    // A namespace alone is no history of a model that it does not have.
    return events.some((event) => event.name !== null) ? events.map(eventOf) : [];
  }

  events(start: number, end: number): readonly CatalogueEvent[] {
    const sql = 'SELECT * FROM events WHERE entry >= :start AND entry < :end ORDER BY entry';
    return this.#all(sql, { start, end }).map(eventOf);
  }

  news({ namespace, limit }: Parameters<Catalogue['news']>[0]): readonly CatalogueEvent[] {
    const rows =
      namespace === undefined
        ? this.#all(newsOf(''), { limit })
        : this.#all(newsOf('AND namespace = :namespace'), { namespace, limit });
    return rows.map(eventOf);
  }

  advisories({
    kind,
    limit,
    before = Number.MAX_SAFE_INTEGER,
  }: Parameters<Catalogue['advisories']>[0]): readonly AdvisedRelease[] {
    const rows =
      kind === undefined
        ? this.#all(ADVISORIES_BEFORE, { limit, before })
        : this.#all(ADVISORIES_OF_KIND, { kind, limit, before });
    return rows.map(advisedOf);
  }

  advisory(index: number): AdvisedRelease | undefined {
    const row = this.#first(`${ADVISED} WHERE a.entry = :index`, { index });
    return row && advisedOf(row);
  }

  modelCount(): number {
    const sql = 'SELECT COUNT(*) AS count FROM (SELECT DISTINCT namespace, name FROM releases)';
    return this.#first(sql)?.count as number;
  }

  modelsByName(query: { limit: number; offset: number }): readonly CatalogueModel[] {
    const rows = this.#all(
      `SELECT namespace, name, MAX(entry), time FROM releases
       GROUP BY namespace, name ORDER BY namespace, name LIMIT :limit OFFSET :offset`,
      query,
    );
    return rows.map(({ namespace, name, time }) => ({
      model: parseModel(`${namespace}/${name}`),
      time: time as string,
    }));
  }

  #page(query: CatalogueQuery, conditions: readonly string[]): readonly CatalogueRelease[] {
    const { namespace, name } = query.model ?? { namespace: query.namespace, name: undefined };
    const words = query.text === undefined ? undefined : searchExpression(query.text);
    if (query.text !== undefined && words === undefined) return [];
    const filters = {
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
      ...(words === undefined ? {} : { words }),
    };
    const rows = this.#all(pageOf(filters, conditions), {
      ...filters,
      before: query.before ?? Number.MAX_SAFE_INTEGER,
      limit: Math.max(0, Math.min(query.limit, MAX_PAGE)),
    });
    return rows.map((row) => this.#release(row));
  }

  #release(row: Row): CatalogueRelease {
    const digest = parseDigest(row.digest as string);
    return {
      release: parseReleaseName(`${row.namespace}/${row.name}@${row.version}`),
      digest,
      index: row.entry as number,
      time: row.time as string,
      size: row.size as number,
      files: row.files as number,
      advisories: this.#advisories(digest),
    };
  }

  #advisories(digest: Digest): CatalogueAdvisory[] {
    const rows = this.#all('SELECT * FROM advisories WHERE digest = :digest ORDER BY entry', {
      digest,
    });
    return rows.map(advisoryOf);
  }

  #all(sql: string, values: Record<string, string | number | Uint8Array> = {}): Row[] {
    return this.#statement(sql).all(values);
  }

  #first(sql: string, values: Record<string, string | number | Uint8Array> = {}): Row | undefined {
    return this.#statement(sql).get(values);
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#database.prepare(sql);
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

/** One page of releases; each combination of filters is a statement of its own, with its own index. */
function pageOf(
  filters: { namespace?: string; name?: string; words?: string },
  further: readonly string[],
): string {
  const conditions = ['r.entry < :before', ...further];
  if (filters.namespace !== undefined) conditions.push('r.namespace = :namespace');
  if (filters.name !== undefined) conditions.push('r.name = :name');
  if (filters.words === undefined) {
    return `SELECT r.* FROM releases r WHERE ${conditions.join(' AND ')} ${NEWEST_FIRST}`;
  }
  return `SELECT r.* FROM search s JOIN releases r ON r.entry = s.rowid
    WHERE search MATCH :words AND s.rowid < :before AND ${conditions.join(' AND ')}
    ORDER BY s.rowid DESC LIMIT :limit`;
}

const newsOf = (condition: string) =>
  `SELECT * FROM events WHERE ${IS_NEWS} ${condition} ORDER BY entry DESC LIMIT :limit`;

/** An advisory's event says what it is about. */
const ADVISED = 'SELECT a.*, e.release FROM advisories a JOIN events e ON e.entry = a.entry';
const ADVISORIES_BEFORE = `${ADVISED} WHERE a.entry < :before ORDER BY a.entry DESC LIMIT :limit`;
const ADVISORIES_OF_KIND = `${ADVISED}
  WHERE a.kind = :kind AND a.entry < :before ORDER BY a.entry DESC LIMIT :limit`;

function advisoryOf(row: Row): CatalogueAdvisory {
  return {
    index: row.entry as number,
    kind: row.kind as AdvisoryKind,
    summary: row.summary as string,
    time: row.time as string,
  };
}

function advisedOf(row: Row): AdvisedRelease {
  const release = parseReleaseName(row.release as string);
  return { ...advisoryOf(row), release, digest: parseDigest(row.digest as string) };
}

function eventOf(row: Row): CatalogueEvent {
  return {
    index: row.entry as number,
    time: row.time as string,
    kind: row.kind as string,
    ...(row.release === null
      ? {}
      : { release: formatReleaseName(parseReleaseName(row.release as string)) }),
    ...(row.digest === null ? {} : { digest: row.digest as Digest }),
    text: row.text as string,
  };
}
