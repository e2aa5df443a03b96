/**
 * What a writer said before it died, and what must therefore be true of the store:
 * everything it was told is done is there and whole; what it had only begun is there and
 * whole, or not at all; nothing else is there.
 */
import { equal, utf8 } from '../../../src/core/bytes.ts';
import type { Store } from '../../../src/store/contract.ts';
import { type Key, type KeyPrefix, parseKey } from '../../../src/store/keys.ts';

export type Kind = 'create' | 'count' | 'upload' | 'delete';

export interface Line {
  readonly what: 'begin' | 'done';
  readonly kind: Kind;
  /** Rises from line to line, also over several writers. */
  readonly step: number;
}

/** A document that holds the content of the newest step that counted. */
export const COUNTER = parseKey('kill/counter');

export function objectKey(step: number): Key {
  return parseKey(`kill/object/${step < 0 ? 'none' : step}`);
}

export function uploadKey(step: number): Key {
  return parseKey(`kill/upload/${step < 0 ? 'none' : step}`);
}

/** A few thousand bytes, different for each step. */
export function contentOf(step: number): Uint8Array {
  return utf8(`step ${step}\n`.repeat(1 + ((((step * 37) % 700) + 700) % 700)));
}

export function formatLine(line: Line): string {
  return `${JSON.stringify(line)}\n`;
}

/** The lines of a journal; the last one may have been cut off. */
export function parseJournal(text: string): readonly Line[] {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line.startsWith('{"what"')).map((line) => JSON.parse(line) as Line);
}

/** Sentences about what is wrong with `store` after `journal`; none if all is well. */
export async function contradictions(store: Store, journal: readonly Line[]): Promise<string[]> {
  const found: string[] = [];
  const done = new Set(journal.filter((line) => line.what === 'done').map((line) => line.step));
  const expected = new Set<Key>();
  for (const { kind, step } of journal.filter((line) => line.what === 'begin')) {
    if (kind === 'count') continue;
    const key = kind === 'upload' ? uploadKey(step) : objectKey(step);
    const object = await store.get(key);
    if (object !== undefined) expected.add(key);
    if (object !== undefined && !equal(object.bytes, contentOf(step))) {
      found.push(`${key} is not whole`);
    }
    if (done.has(step) && (kind === 'delete') !== (object === undefined)) {
      found.push(`${key} is ${object ? 'there' : 'gone'} although ${kind} was acknowledged`);
    }
  }
  for await (const key of store.list('kill/' as KeyPrefix)) {
    if (key !== COUNTER && !expected.has(key)) found.push(`${key} comes from nowhere`);
  }
  return [...found, ...(await wrongCounter(store, journal, done))];
}

async function wrongCounter(
  store: Store,
  journal: readonly Line[],
  done: ReadonlySet<number>,
): Promise<readonly string[]> {
  const counts = journal.filter((line) => line.kind === 'count').map((line) => line.step);
  const acknowledged = counts.filter((step) => done.has(step)).at(-1);
  const counter = await store.get(COUNTER);
  if (counter === undefined) {
    return acknowledged === undefined ? [] : [`the counter is gone after ${acknowledged}`];
  }
  const possible = counts.filter((step) => step >= (acknowledged ?? 0));
  if (possible.some((step) => equal(counter.bytes, contentOf(step)))) return [];
  return [`the counter is not at ${acknowledged} nor at a later step that was begun`];
}
