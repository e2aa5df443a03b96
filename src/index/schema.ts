/**
 * The tables of the index. It is a view: a file of another version, of another registry or
 * of a log that has become another one is emptied and built again.
 */
import { DatabaseSync } from 'node:sqlite';
import { CodedError } from '../core/error.ts';

/** Raise it with every change of the tables or of what is written into them. */
const SCHEMA_VERSION = 4;

/** SQLite's result codes (sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Of an event: is it told to who follows the registry? */
export const IS_NEWS = "kind IN ('release', 'advisory', 'announcement')";

const TABLES = `
  -- Which tree was indexed: its size, and the roots of its complete subtrees.
  CREATE TABLE tree (origin TEXT NOT NULL, size INTEGER NOT NULL, nodes BLOB NOT NULL) STRICT;

  CREATE TABLE releases (
    entry INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    version_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    time TEXT NOT NULL,
    size INTEGER NOT NULL,
    files INTEGER NOT NULL,
    UNIQUE (namespace, name, version_key)
  ) STRICT;
  CREATE INDEX releases_of_namespace ON releases (namespace, entry);
  CREATE INDEX releases_of_model ON releases (namespace, name, entry);
  CREATE INDEX releases_by_digest ON releases (namespace, name, digest);

  CREATE TABLE advisories (
    entry INTEGER PRIMARY KEY,
    digest TEXT NOT NULL,
    kind TEXT NOT NULL,
    summary TEXT NOT NULL,
    time TEXT NOT NULL
  ) STRICT;
  CREATE INDEX advisories_of_release ON advisories (digest, entry);

  -- An event without a name concerns all models of its namespace.
  CREATE TABLE events (
    entry INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    name TEXT,
    time TEXT NOT NULL,
    kind TEXT NOT NULL,
    release TEXT,
    digest TEXT,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_of_model ON events (namespace, name, entry);
  -- A log has many times more decisions than news.
  CREATE INDEX news ON events (entry) WHERE ${IS_NEWS};
  CREATE INDEX news_of_namespace ON events (namespace, entry) WHERE ${IS_NEWS};

  -- Words to find a release by; the row is the release's entry. Nothing is read back from it.
  CREATE VIRTUAL TABLE search USING fts5(words, content='');
`;

const NAMES = ['tree', 'leaves', 'releases', 'advisories', 'events', 'search'];

/** Opens the file at `path` with its tables. Throws `conflict` when another process has it open. */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    // What a crash loses is built again, so nothing waits for the disk. One process has the
    // file to itself: two that write the same view would only slow each other down.
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = OFF;
      PRAGMA wal_autocheckpoint = 16384;
      PRAGMA cache_size = -65536;
    `);
    if (versionOf(database) !== SCHEMA_VERSION) makeTables(database);
    return database;
  } catch (error) {
    database.close();
    if (resultCode(error) !== SQLITE_BUSY) throw error;
    throw new CodedError(
      'conflict',
      `another process has the index ${path} open; give each its own`,
    );
  }
}

/** Empties the index. */
export function makeTables(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  for (const name of NAMES) database.exec(`DROP TABLE IF EXISTS ${name}`);
  database.exec(TABLES);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  database.exec('COMMIT');
}

/** Is the file rotten, or none of SQLite's at all? It is then deleted and built again. */
export function isDamaged(error: unknown): boolean {
  return [SQLITE_CORRUPT, SQLITE_NOTADB].includes(resultCode(error));
}

/** SQLite's primary result code; 0 for an error of another kind. */
function resultCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : 0;
}

function versionOf(database: DatabaseSync): unknown {
  return database.prepare('PRAGMA user_version').get()?.user_version;
}
