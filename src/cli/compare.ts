/**
 * The difference of two models. Tensors are found by name, wherever they lie, so that weights
 * which were merely cut into other shards do not look changed. Of the files, those that hold
 * tensors count as changed only when no tensor in them says why: then it is their header.
 */
import type { Contents, FileContent, TensorContent } from './contents.ts';

export interface Difference {
  readonly added: readonly Change[];
  readonly removed: readonly Change[];
  readonly changed: readonly Change[];
}

export type Change =
  | { readonly kind: 'tensor'; readonly name: string; readonly what: string }
  | { readonly kind: 'file'; readonly name: string; readonly what: string };

/** What makes `b` of `a`. */
export function compareContents(a: Contents, b: Contents): Difference {
  const tensors = compareNamed(namedTensors(a), namedTensors(b), tensorChange, describeTensor);
  const changedIn = new Set(
    [...tensors.changed, ...tensors.added, ...tensors.removed].flatMap(({ name }) => [
      ...filesOf(a, name),
      ...filesOf(b, name),
    ]),
  );
  const isExplained = (path: string) => changedIn.has(path);
  const files = compareNamed(
    namedFiles(a),
    namedFiles(b),
    (before, after) => fileChange(before, after, isExplained),
    ({ size }) => `${size} bytes`,
  );
  const of = (part: keyof Difference): Change[] => [
    ...tensors[part].map((change) => ({ kind: 'tensor' as const, ...change })),
    ...files[part].map((change) => ({ kind: 'file' as const, ...change })),
  ];
  return { added: of('added'), removed: of('removed'), changed: of('changed') };
}

interface NamedChange {
  readonly name: string;
  readonly what: string;
}

function compareNamed<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  changeOf: (before: T, after: T) => string | undefined,
  describe: (item: T) => string,
): Record<keyof Difference, NamedChange[]> {
  const changed: NamedChange[] = [];
  const added: NamedChange[] = [];
  for (const [name, item] of after) {
    const old = before.get(name);
    const what = old === undefined ? undefined : changeOf(old, item);
    if (old === undefined) added.push({ name, what: describe(item) });
    else if (what !== undefined) changed.push({ name, what });
  }
  const removed = [...before]
    .filter(([name]) => !after.has(name))
    .map(([name, item]) => ({ name, what: describe(item) }));
  return { added, removed, changed };
}

/** By name; a name that stands in several files is told apart by the file. */
function namedTensors({ tensors }: Contents): Map<string, TensorContent> {
  const named = new Map<string, TensorContent>();
  for (const tensor of tensors) {
    named.set(named.has(tensor.name) ? `${tensor.file}:${tensor.name}` : tensor.name, tensor);
  }
  return named;
}

function namedFiles(contents: Contents): Map<string, FileContent> {
  return new Map(contents.files.map((file) => [file.path, file]));
}

function filesOf({ tensors }: Contents, name: string): string[] {
  return tensors.filter((tensor) => tensor.name === name).map(({ file }) => file);
}

function describeTensor({ dtype, shape }: TensorContent): string {
  return `${dtype} [${shape.join(', ')}]`;
}

function tensorChange(a: TensorContent, b: TensorContent): string | undefined {
  const [before, after] = [describeTensor(a), describeTensor(b)];
  if (before !== after) return `${before} → ${after}`;
  return a.sha256 === b.sha256 ? undefined : `${after}: other values`;
}

function fileChange(
  a: FileContent,
  b: FileContent,
  isExplained: (path: string) => boolean,
): string | undefined {
  if (a.sha256 === b.sha256 || isExplained(b.path)) return undefined;
  return a.size === b.size ? `${b.size} bytes, others` : `${a.size} bytes → ${b.size} bytes`;
}
