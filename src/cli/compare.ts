/**
 * The difference of two models in words. Of the files, those that hold tensors count as changed
 * only when no tensor in them says why: then it is their header.
 */
import {
  type Change,
  compareFiles,
  compareTensors,
  type FileContent,
  fateOf,
  filesOf,
  type TensorContent,
} from '../core/weights/compare.ts';
import type { Contents } from './contents.ts';

export interface Difference {
  readonly added: readonly Said[];
  readonly removed: readonly Said[];
  readonly changed: readonly Said[];
}

/** What changed, and how, in a few words. */
export interface Said {
  readonly kind: 'tensor' | 'file';
  readonly name: string;
  readonly what: string;
}

/** What makes `after` of `before`. */
export function compareContents(before: Contents, after: Contents): Difference {
  const tensors = compareTensors(before.tensors, after.tensors);
  const explained = filesOf(tensors);
  const files = compareFiles(before.files, after.files).filter(
    (change) => fateOf(change) !== 'changed' || !explained.has(change.name),
  );
  const of = (fate: keyof Difference): Said[] => [
    ...tensors.filter((change) => fateOf(change) === fate).map(sayTensor),
    ...files.filter((change) => fateOf(change) === fate).map(sayFile),
  ];
  return { added: of('added'), removed: of('removed'), changed: of('changed') };
}

function sayTensor({ name, before, after }: Change<TensorContent>): Said {
  const sides = [before, after].flatMap((tensor) => (tensor ? [describeTensor(tensor)] : []));
  return { kind: 'tensor', name, what: say(sides, (side) => `${side}: other values`) };
}

function sayFile({ name, before, after }: Change<FileContent>): Said {
  const sides = [before, after].flatMap((file) => (file ? [`${file.size} bytes`] : []));
  return { kind: 'file', name, what: say(sides, (side) => `${side}, others`) };
}

/** What stood before and what stands after; `otherwise` where both look the same. */
function say(sides: readonly string[], otherwise: (side: string) => string): string {
  const [before = '', after] = sides;
  if (after === undefined) return before;
  return before === after ? otherwise(after) : `${before} → ${after}`;
}

function describeTensor({ dtype, shape }: TensorContent): string {
  return `${dtype} [${shape.join(', ')}]`;
}
