/** What callers of a log were told, and what must then be true of the log. */
import { expect } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { CodedError, isCoded } from '../../src/core/error.ts';
import { formatCanonical } from '../../src/core/json.ts';
import { parseCheckpoint, type TreeHead } from '../../src/core/log/checkpoint.ts';
import { emptyEdge, grow } from '../../src/core/log/tree.ts';
import { parseNote } from '../../src/core/note/note.ts';
import { parseNamespace } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import type { Item } from '../../src/log/item.ts';
import { parseLock } from '../../src/log/lock.ts';
import { indexOf } from '../../src/log/staging.ts';
import { keys } from '../../src/store/keys.ts';
import { committedEntries, publishedEntries } from './log.ts';
import type { Disk } from './memory-store.ts';

export const documentOf = (text: string) => keys.namespace(parseNamespace(text));
export const NEWEST = documentOf('newest');

/** An entry that is refused where its text stands already, with a document that says so. */
export function unique(text: string): Item {
  return {
    entries: [utf8(text)],
    guard: async (view) => {
      if ((await view.document(documentOf(text))) !== undefined) {
        throw new CodedError('conflict', `${text} is there`);
      }
    },
    documents: async ({ index }) => [
      { kind: 'immutable', key: documentOf(text), bytes: utf8(text) },
      { kind: 'newest', key: NEWEST, index, bytes: formatCanonical({ index, text }) },
    ],
  };
}

/** What became of the appends of one run. */
export class Journal {
  /** By index, what was acknowledged there. */
  readonly acknowledged = new Map<number, string>();
  /** Told that they were not logged. */
  readonly refused: string[] = [];
  /** Told that nobody knows. */
  readonly unknown: string[] = [];
  lost = 0;

  async append(text: string, item: Item, append: (item: Item) => Promise<{ index: number }>) {
    try {
      const { index } = await append(item);
      // Each caller has an entry of its own, also where the bytes of two are the same.
      expect(this.acknowledged.get(index)).toBeUndefined();
      this.acknowledged.set(index, text);
    } catch (error) {
      if (!isCoded(error)) throw error;
      (isCoded(error, 'unknown-outcome') ? this.unknown : this.refused).push(text);
    }
  }
}

/** Acknowledged ⊆ log, exactly once; nothing that was refused; documents exactly with entries. */
export async function checkJournal(disk: Disk, journal: Journal): Promise<void> {
  const entries = await publishedEntries(disk);
  expect(await committedEntries(disk)).toEqual(entries);
  for (const [index, text] of journal.acknowledged) expect(entries[index]).toBe(text);
  const count = (texts: readonly string[], text: string) => texts.filter((t) => t === text).length;
  const acknowledged = [...journal.acknowledged.values()];
  for (const text of new Set([...entries, ...acknowledged, ...journal.refused])) {
    const certain = count(acknowledged, text);
    expect(count(entries, text)).toBeGreaterThanOrEqual(certain);
    expect(count(entries, text)).toBeLessThanOrEqual(certain + count(journal.unknown, text));
    if (text === 'same') continue;
    expect(count(entries, text)).toBeLessThanOrEqual(1);
    expect(disk.objects.has(documentOf(text))).toBe(entries.includes(text));
  }
  const last = entries.findLastIndex((text) => text !== 'same');
  if (last >= 0) expect(indexOf(NEWEST, disk.bytes(NEWEST))).toBe(last);
}

/** Every tree that was ever committed or published is a beginning of the next, and of the last. */
export async function checkChain(disk: Disk): Promise<void> {
  const roots = [emptyEdge(nodeHost)];
  for (const text of await committedEntries(disk)) {
    roots.push(grow(nodeHost, roots.at(-1)!, [utf8(text)]).edge);
  }
  const heads = { [keys.lock()]: [] as TreeHead[], [keys.checkpoint()]: [] as TreeHead[] };
  for (const { key, bytes } of disk.swapped) {
    const note = key === keys.lock() ? parseLock(bytes).checkpoint : bytes;
    heads[key]?.push(parseCheckpoint(parseNote(note).text));
  }
  for (const chain of Object.values(heads)) {
    expect(chain.map(({ root }) => root)).toEqual(chain.map(({ size }) => roots[size]!.root));
    const sizes = chain.map(({ size }) => size);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  }
}
