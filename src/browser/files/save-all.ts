/**
 * A whole release into a folder that the reader chose. What is there already is not touched: it is
 * compared, and kept if it is the file that was released.
 */
import { CodedError } from '../../core/error.ts';
import { compare } from './compare.ts';
import type { Piece } from './hash-job.ts';
import type { ReleaseFile, ReleaseFiles } from './release-files.ts';
import { type Saving, save, type Writing } from './save.ts';

/** What is needed of `FileSystemDirectoryHandle`. */
export interface Folder {
  getDirectoryHandle(name: string, options: { create: boolean }): Promise<Folder>;
  getFileHandle(name: string, options?: { create: boolean }): Promise<FileHandle>;
  removeEntry(name: string): Promise<void>;
}

export interface FileHandle {
  getFile(): Promise<Piece>;
  createWritable(): Promise<Writing>;
}

export interface SavingAll extends Saving {
  /** Is told of each file that is there and whole. */
  readonly onFile?: (file: ReleaseFile) => void;
}

/** Throws at the first file that cannot be had as it was released; those before it are whole. */
export async function saveAll(saving: SavingAll, folder: Folder): Promise<void> {
  for (const file of saving.release.files) {
    const names = file.path.split('/');
    const name = names.pop()!;
    let inner = folder;
    for (const each of names) inner = await inner.getDirectoryHandle(each, { create: true });
    await saveInto(saving, inner, name, file);
    saving.onFile?.(file);
  }
}

async function saveInto(saving: SavingAll, folder: Folder, name: string, file: ReleaseFile) {
  const there = await folder.getFileHandle(name).catch(() => undefined);
  if (there !== undefined) {
    await requireSame(saving, await there.getFile(), file);
    saving.onSaved?.(file.size);
    return;
  }
  try {
    const handle = await folder.getFileHandle(name, { create: true });
    await save(saving, file, await handle.createWritable());
  } catch (error) {
    await folder.removeEntry(name).catch(() => {});
    throw error;
  }
}

async function requireSame({ release, hash }: SavingAll, content: Piece, file: ReleaseFile) {
  const alone: ReleaseFiles = { ...release, files: [file] };
  const chosen = [{ path: file.path, content }];
  const [outcome] = await compare({ release: alone, chosen, inFolder: true, hash });
  if (outcome?.state === 'matches') return;
  throw new CodedError(
    'conflict',
    `${file.path} is there already and is not the file that was released; it was left as it is. Choose another folder`,
  );
}
