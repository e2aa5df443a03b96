/**
 * A copy, compared with a release: chunk by chunk, each hash against the list that the manifest
 * commits to. The first chunk that differs ends it, and says where in the file it lies.
 */
import { equal } from '../../core/bytes.ts';
import { messageOf } from '../../core/error.ts';
import { inParallel } from '../../core/parallel.ts';
import { type ChunkList, chunkRange } from '../../core/release/chunks.ts';
import type { Piece } from './hash-job.ts';
import { type Chosen, candidatesFor, liesBeside } from './match.ts';
import type { ReleaseFile, ReleaseFiles } from './release-files.ts';

/** Files, and chunks of one file, that are under way at a time. */
const AT_ONCE = 4;

/** How one file stands. `path` is the name under which it was chosen. */
export type FileOutcome = { readonly path: string } & (
  | { readonly state: 'matches'; readonly file: ReleaseFile }
  | {
      readonly state: 'differs';
      readonly file: ReleaseFile;
      readonly chunk: number;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly state: 'wrong-size'; readonly file: ReleaseFile; readonly size: number }
  | { readonly state: 'extra' }
  | { readonly state: 'missing'; readonly file: ReleaseFile }
  | { readonly state: 'unread'; readonly message: string }
);

export interface Comparison {
  readonly release: ReleaseFiles;
  readonly chosen: readonly Chosen[];
  /** A whole folder was chosen: what is not in it is missing. */
  readonly inFolder: boolean;
  readonly hash: (piece: Piece) => Promise<Uint8Array>;
  /** Is told of bytes as they have been hashed. */
  readonly onHashed?: (bytes: number) => void;
  readonly onOutcome?: (outcome: FileOutcome) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes that will be hashed, if nothing differs. */
export function bytesToHash({
  release,
  chosen,
  inFolder,
}: Pick<Comparison, 'release' | 'chosen' | 'inFolder'>): number {
  return chosen
    .filter((each) => candidatesOfSize(release, each, inFolder).length > 0)
    .reduce((sum, { content }) => sum + content.size, 0);
}

/** Compares all that was chosen; outcomes come in the order of what was chosen, then the missing. */
export async function compare(comparison: Comparison): Promise<readonly FileOutcome[]> {
  const { release, chosen, inFolder, onOutcome, signal } = comparison;
  const counted = chosen.filter(({ path }) => !(inFolder && liesBeside(path)));
  const compared = await inParallel(counted, AT_ONCE, async (each) => {
    signal?.throwIfAborted();
    const outcome = await compareFile(comparison, each);
    onOutcome?.(outcome);
    return outcome;
  });
  if (!inFolder) return compared;
  const there = new Set(counted.map(({ path }) => path.normalize('NFC')));
  const missing = release.files
    .filter(({ path }) => !there.has(path))
    .map((file): FileOutcome => ({ state: 'missing', path: file.path, file }));
  for (const outcome of missing) onOutcome?.(outcome);
  return [...compared, ...missing];
}

async function compareFile(comparison: Comparison, chosen: Chosen): Promise<FileOutcome> {
  const { release, inFolder, signal } = comparison;
  const { path, content } = chosen;
  const [likeliest, ...others] = candidatesFor(release, chosen, inFolder);
  if (likeliest === undefined) return { state: 'extra', path };
  let first: FileOutcome | undefined;
  try {
    for (const file of [likeliest, ...others].filter(({ size }) => size === content.size)) {
      const outcome = await compareWith(comparison, chosen, file);
      if (outcome.state === 'matches') return outcome;
      first ??= outcome;
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    return { state: 'unread', path, message: messageOf(error) };
  }
  // One that only has the size of another is a stranger, not a damaged copy of that one.
  const isNamed = inFolder || hasName(likeliest, path);
  if (!isNamed) return { state: 'extra', path };
  return first ?? { state: 'wrong-size', path, file: likeliest, size: content.size };
}

async function compareWith(
  { release, hash, onHashed }: Comparison,
  { path, content }: Chosen,
  file: ReleaseFile,
): Promise<FileOutcome> {
  const list = await release.chunksOf(file);
  const chunk = await firstDifference(list, content, hash, onHashed);
  if (chunk === undefined) return { state: 'matches', path, file };
  const { offset, length } = chunkRange(file.size, list.chunkSize, chunk);
  return { state: 'differs', path, file, chunk, offset, length };
}

/** The first chunk that is not the listed one; some behind it may have been hashed as well. */
async function firstDifference(
  list: ChunkList,
  content: Piece,
  hash: (piece: Piece) => Promise<Uint8Array>,
  onHashed: (bytes: number) => void = () => {},
): Promise<number | undefined> {
  let first: number | undefined;
  const chunks = Array.from({ length: list.count }, (_, i) => i);
  await inParallel(chunks, AT_ONCE, async (i) => {
    if (first !== undefined && i > first) return;
    const { offset, length } = chunkRange(content.size, list.chunkSize, i);
    const found = await hash(content.slice(offset, offset + length));
    onHashed(length);
    if (!equal(found, list.at(i))) first = Math.min(i, first ?? i);
  });
  return first;
}

function candidatesOfSize(release: ReleaseFiles, chosen: Chosen, inFolder: boolean) {
  const { size } = chosen.content;
  return candidatesFor(release, chosen, inFolder).filter((file) => file.size === size);
}

function hasName({ path }: ReleaseFile, name: string): boolean {
  return path === name.normalize('NFC') || path.endsWith(`/${name.normalize('NFC')}`);
}
