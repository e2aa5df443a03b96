/** Looks at an index from outside, as far as the server that keeps it lets others. */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

export type IndexState =
  | { readonly state: 'absent' | 'busy' }
  | { readonly state: 'damaged'; readonly why: string }
  | { readonly state: 'whole'; readonly size: number };

const SQLITE_BUSY = 5;

/** Changes nothing. */
export function inspectIndex(path: string): IndexState {
  if (!existsSync(path)) return { state: 'absent' };
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    const [first] = database.prepare('PRAGMA quick_check(1)').all();
    const why = String(Object.values(first ?? {})[0]);
    if (why !== 'ok') return { state: 'damaged', why };
    const row = database.prepare('SELECT size FROM tree').get();
    return { state: 'whole', size: Number(row?.size ?? 0) };
  } catch (error) {
    const { errcode, message } = error as { errcode?: number; message: string };
    if (errcode !== undefined && (errcode & 0xff) === SQLITE_BUSY) return { state: 'busy' };
    return { state: 'damaged', why: message };
  } finally {
    database?.close();
  }
}
