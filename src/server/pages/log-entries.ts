/** Entries of the log as pages know them: parsed, and with what a release has revealed of them. */
import { parseUtf8 } from '../../core/bytes.ts';
import { isCoded } from '../../core/error.ts';
import { type ParsedEntry, parseEntry } from '../../core/log/entry.ts';
import type { CatalogueEvent } from '../../index/catalogue.ts';
import type { FollowingCatalogue } from '../../index/open.ts';

export interface LoggedEntry {
  readonly index: number;
  /** As they were hashed. */
  readonly bytes: Uint8Array;
  /** Undefined for what no reader accepts: the auditor reports it. */
  readonly parsed: ParsedEntry | undefined;
  /** What the index knows of it; of a commitment, what a published release has revealed. */
  readonly event: CatalogueEvent | undefined;
}

/** The entries from `first` on, with what `catalogue` knows of them. */
export function readEntries(
  catalogue: FollowingCatalogue,
  first: number,
  entries: readonly Uint8Array[],
): LoggedEntry[] {
  const known = catalogue.isBuilding ? [] : catalogue.events(first, first + entries.length);
  const events = new Map(known.map((event) => [event.index, event]));
  return entries.map((bytes, i) => ({
    index: first + i,
    bytes,
    parsed: parsedOrNot(bytes),
    event: events.get(first + i),
  }));
}

/** When it was logged, as it says itself; a signature's record says nothing. */
export function timeOf({ parsed }: Pick<LoggedEntry, 'parsed'>): string | undefined {
  return parsed?.known === true ? parsed.entry.time : undefined;
}

/** What it says of its kind; `unreadable` for what is no entry. */
export function kindOf({ parsed }: Pick<LoggedEntry, 'parsed'>): string {
  if (parsed === undefined) return 'unreadable';
  return parsed.known ? parsed.entry.kind : parsed.kind;
}

/** Its bytes as text; undefined where they are none. */
export function textOfEntry(bytes: Uint8Array): string | undefined {
  try {
    return parseUtf8(bytes);
  } catch {
    return undefined;
  }
}

export function parsedOrNot(bytes: Uint8Array): ParsedEntry | undefined {
  try {
    return parseEntry(bytes);
  } catch (error) {
    if (isCoded(error)) return undefined;
    throw error;
  }
}
