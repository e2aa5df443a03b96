/**
 * Where in a model something changed. Names of tensors tell their place: in
 * `model.layers.12.mlp.up_proj.weight` it is layer 12 of the stack `model.layers`; GGUF writes
 * `blk.12.ffn_up.weight`. The first whole number between two separators is the layer's, so an
 * expert further inside belongs to its layer. What has none (`lm_head.weight`) is told by module.
 */
import { compareCodePoints } from '../bytes.ts';
import { type Change, type Fate, fateOf, type TensorContent } from './compare.ts';

/** Stacks, and layers of one, that are told apart: a name can say any number. */
export const MAX_STACKS = 16;
export const MAX_LAYERS = 256;

/** One layer, or one module outside of the layers. */
export interface Layer {
  /** `12`, or `lm_head`. */
  readonly name: string;
  /** Tensors on either side, and those of them that differ. */
  readonly tensors: number;
  readonly changed: number;
  /** As many bytes as they have; of a changed tensor those after the change. */
  readonly bytes: number;
  readonly changedBytes: number;
  /** It is on one side alone. */
  readonly only?: 'added' | 'removed';
}

export interface Stack {
  /** `model.layers`; '' for what lies outside of all layers. */
  readonly name: string;
  /** In the order of their numbers, or names. */
  readonly layers: readonly Layer[];
  /** Layers beyond `MAX_LAYERS`. */
  readonly more: number;
}

export interface Stacks {
  readonly stacks: readonly Stack[];
  /** Stacks beyond `MAX_STACKS`. */
  readonly more: number;
}

const PLACE = /^(.+?)[./](0|[1-9][0-9]{0,5})[./]/;
const MODULE = /^(.+)[./][^./]+$/;

/** The stack and the layer, or '' and the module, that a tensor belongs to. */
export function placeOf(tensor: string): { readonly stack: string; readonly layer: string } {
  const [, stack, layer] = PLACE.exec(tensor) ?? [];
  if (stack !== undefined && layer !== undefined) return { stack, layer };
  return { stack: '', layer: MODULE.exec(tensor)?.[1] ?? tensor };
}

/** How much of each layer changed, out of all tensors before and what has become of them. */
export function tallyLayers(
  before: Iterable<TensorContent>,
  changes: readonly Change<TensorContent>[],
): Stacks {
  const tally = new Tally();
  for (const { name, size } of before) tally.at(name).have(size);
  for (const change of changes) tally.at((change.after ?? change.before).name).take(change);
  return tally.stacks();
}

class Tally {
  readonly #stacks = new Map<string, Map<string, Count>>();

  at(tensor: string): Count {
    const { stack, layer } = placeOf(tensor);
    const layers = this.#stacks.get(stack) ?? new Map<string, Count>();
    this.#stacks.set(stack, layers);
    const count = layers.get(layer) ?? new Count();
    layers.set(layer, count);
    return count;
  }

  stacks(): Stacks {
    const named = [...this.#stacks].sort(([a], [b]) => compareStacks(a, b));
    return {
      stacks: named.slice(0, MAX_STACKS).map(([name, layers]) => stackOf(name, layers)),
      more: Math.max(0, named.length - MAX_STACKS),
    };
  }
}

/** What is outside of all layers comes last. */
function compareStacks(a: string, b: string): number {
  if (a === '' || b === '') return Number(a === '') - Number(b === '');
  return compareCodePoints(a, b);
}

function stackOf(name: string, layers: ReadonlyMap<string, Count>): Stack {
  const compare = name === '' ? compareCodePoints : (a: string, b: string) => +a - +b;
  const sorted = [...layers].sort(([a], [b]) => compare(a, b));
  return {
    name,
    layers: sorted.slice(0, MAX_LAYERS).map(([layer, count]) => count.layer(layer)),
    more: Math.max(0, sorted.length - MAX_LAYERS),
  };
}

class Count {
  #tensors = 0;
  #bytes = 0;
  #changed = 0;
  #changedBytes = 0;
  readonly #fates: Record<Fate, number> = { added: 0, removed: 0, changed: 0 };

  have(bytes: number): void {
    this.#tensors++;
    this.#bytes += bytes;
  }

  take(change: Change<TensorContent>): void {
    const { before, after } = change;
    if (before === undefined) this.have(0);
    if (after !== undefined) this.#bytes += after.size - (before?.size ?? 0);
    this.#changed++;
    this.#changedBytes += (after ?? before).size;
    this.#fates[fateOf(change)]++;
  }

  layer(name: string): Layer {
    const only = (['added', 'removed'] as const).find(
      (fate) => this.#fates[fate] === this.#tensors,
    );
    return {
      name,
      tensors: this.#tensors,
      changed: this.#changed,
      bytes: this.#bytes,
      changedBytes: this.#changedBytes,
      ...(only && { only }),
    };
  }
}
