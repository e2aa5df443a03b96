/** What a reader dropped or chose, as files with paths: a folder counts from itself on. */
import type { Chosen } from './match.ts';

export interface Selection {
  readonly chosen: readonly Chosen[];
  /** One folder and nothing beside it: it is to be the whole release. */
  readonly inFolder: boolean;
}

/** Of an `<input type="file">`; with `webkitdirectory` each path begins with the folder's name. */
export function chosenIn(files: Iterable<File>): Selection {
  const all = [...files];
  const inFolder = all.some((file) => file.webkitRelativePath !== '');
  const chosen = all.map((file) => ({
    path: inFolder ? belowFirst(file.webkitRelativePath) : file.name,
    content: file,
  }));
  return { chosen, inFolder };
}

/** Of a drop. What was dropped can only be asked for at once, before anything is awaited. */
export function droppedIn({ items }: DataTransfer): Promise<Selection> {
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  return selectionOf(entries);
}

async function selectionOf(entries: readonly FileSystemEntry[]): Promise<Selection> {
  const [first] = entries;
  const inFolder = entries.length === 1 && first!.isDirectory;
  const chosen: Chosen[] = [];
  for (const entry of entries) {
    for await (const file of filesIn(entry)) {
      const path = file.path.slice(1);
      chosen.push({ path: inFolder ? belowFirst(path) : path, content: file.content });
    }
  }
  return { chosen, inFolder };
}

async function* filesIn(entry: FileSystemEntry): AsyncGenerator<Chosen> {
  if (entry.isFile) {
    yield { path: entry.fullPath, content: await fileOf(entry as FileSystemFileEntry) };
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // It gives a hundred at a time, and none when there are no more.
  for (let some = await next(reader); some.length > 0; some = await next(reader)) {
    for (const each of some) yield* filesIn(each);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

function next(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

function belowFirst(path: string): string {
  return path.slice(path.indexOf('/') + 1);
}
