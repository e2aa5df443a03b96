/**
 * The difference of two models. Tensors are found by name, wherever they lie, so that weights
 * which were merely cut into other shards do not look changed. A file that holds tensors changes
 * with them: of each it is known whether a tensor explains it, or its header alone can have.
 */
import type { Digest } from '../digest.ts';

/** A tensor, as far as two of them are compared. */
export interface TensorContent {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** In bytes. */
  readonly size: number;
  readonly sha256: Digest;
  /** In which file. */
  readonly file: string;
}

export interface FileContent {
  readonly path: string;
  readonly size: number;
  readonly sha256: Digest;
}

/** What stands under a name on both sides, and differs: on one of them there may be nothing. */
export type Change<T> = { readonly name: string } & (
  | { readonly before: T; readonly after: T }
  | { readonly before?: undefined; readonly after: T }
  | { readonly before: T; readonly after?: undefined }
);

/** What has become of something that changed. */
export type Fate = 'changed' | 'added' | 'removed';

export function fateOf({ before, after }: Change<unknown>): Fate {
  if (before === undefined) return 'added';
  return after === undefined ? 'removed' : 'changed';
}

/** What makes the tensors `after` of those `before`: changed and added as they lie after, then removed. */
export function compareTensors(
  before: Iterable<TensorContent>,
  after: Iterable<TensorContent>,
): Change<TensorContent>[] {
  return compareNamed(namedTensors(before), namedTensors(after), isSameTensor);
}

/** What makes the files `after` of those `before`, in the same order. */
export function compareFiles(
  before: readonly FileContent[],
  after: readonly FileContent[],
): Change<FileContent>[] {
  return compareNamed(namedFiles(before), namedFiles(after), (a, b) => a.sha256 === b.sha256);
}

/** The files that changed tensors lie in, on either side. */
export function filesOf(tensors: readonly Change<TensorContent>[]): ReadonlySet<string> {
  return new Set(
    tensors.flatMap(({ before, after }) => {
      return [before, after].flatMap((tensor) => (tensor === undefined ? [] : [tensor.file]));
    }),
  );
}

function compareNamed<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  isSame: (a: T, b: T) => boolean,
): Change<T>[] {
  const changes: Change<T>[] = [];
  for (const [name, item] of after) {
    const old = before.get(name);
    if (old === undefined) changes.push({ name, after: item });
    else if (!isSame(old, item)) changes.push({ name, before: old, after: item });
  }
  for (const [name, item] of before) {
    if (!after.has(name)) changes.push({ name, before: item });
  }
  return changes;
}

/** By name; a name that stands in several files is told apart by the file. */
function namedTensors(tensors: Iterable<TensorContent>): Map<string, TensorContent> {
  const named = new Map<string, TensorContent>();
  for (const tensor of tensors) {
    named.set(named.has(tensor.name) ? `${tensor.file}:${tensor.name}` : tensor.name, tensor);
  }
  return named;
}

function namedFiles(files: readonly FileContent[]): Map<string, FileContent> {
  return new Map(files.map((file) => [file.path, file]));
}

/** Are dtype, shape and every byte the same? */
function isSameTensor(a: TensorContent, b: TensorContent): boolean {
  return (
    a.sha256 === b.sha256 &&
    a.dtype === b.dtype &&
    a.shape.length === b.shape.length &&
    a.shape.every((side, i) => side === b.shape[i])
  );
}
