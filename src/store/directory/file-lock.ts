/**
 * A lock between processes that the kernel releases when its holder dies, however it dies.
 * Node has none of its own; SQLite's are fcntl(2) locks, and it knows their traps. Nothing
 * is ever stored in the file.
 */
import { DatabaseSync } from 'node:sqlite';

/** SQLITE_BUSY, https://sqlite.org/rescode.html#busy */
const BUSY = 5;

export interface FileLock {
  release(): void;
}

/** Otherwise BEGIN EXCLUSIVE writes to the disk, and a full one has no space for that. */
const NO_JOURNAL = 'PRAGMA journal_mode = MEMORY;';

/** Takes the lock together with others who share it; undefined while somebody has it alone. */
export function shareLock(path: string): FileLock | undefined {
  return take(path, 'BEGIN; SELECT count(*) FROM sqlite_schema');
}

/** Takes the lock alone; undefined while anybody has it. */
export function takeLockAlone(path: string): FileLock | undefined {
  return take(path, 'BEGIN EXCLUSIVE');
}

function take(path: string, statements: string): FileLock | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec(`${NO_JOURNAL} ${statements}`);
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === BUSY) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}
