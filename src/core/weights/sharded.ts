/**
 * Weights in several files. Each shard stands by itself; an index says which tensor is where:
 *
 *     model-00001-of-00002.safetensors  model-00002-of-00002.safetensors
 *     model.safetensors.index.json      {"metadata":{"total_size":48},
 *                                        "weight_map":{"w":"model-00001-of-00002.safetensors"}}
 *
 * A release with a shard missing, or with an index that tells of other tensors than the
 * shards hold, loads wrongly or not at all: it is refused before it can be published.
 */
import { CodedError, isCoded } from '../error.ts';
import { type Json, type JsonObject, parseJson } from '../json.ts';
import { type FilePath, parseFilePath } from '../release/path.ts';
import { type ByteReader, readExactly } from './reader.ts';
import type { Tensor } from './tensor.ts';

/** Bytes of an index; real ones of 60 MB exist. */
export const MAX_SHARD_INDEX = 100_000_000;

export interface ShardIndex {
  /** Bytes of all tensors together, as the index says. */
  readonly totalSize?: number;
  /** Tensor → path of the file that holds it, from the root of the release. */
  readonly weightMap: ReadonlyMap<string, FilePath>;
}

/** What the checks need to know of one file. */
export interface ShardFile {
  readonly path: FilePath;
  readonly tensors?: readonly Tensor[];
  readonly shardIndex?: ShardIndex;
}

/** True for the name of an index, also of a variant: `model.safetensors.index.fp16.json`. */
export function isShardIndexPath(path: string): boolean {
  return /\.safetensors\.index(?:\.[^./]+)?\.json$/.test(path);
}

/** Reads the index at `path`. Throws `bad-weights`. */
export async function readShardIndex(path: FilePath, reader: ByteReader): Promise<ShardIndex> {
  if (reader.size > MAX_SHARD_INDEX) {
    throw bad(path, `has ${reader.size} bytes; ${MAX_SHARD_INDEX} are the limit`);
  }
  const index = parseIndex(path, await readExactly(reader, 0, reader.size));
  const map = isObject(index) ? index.weight_map : undefined;
  if (!isObject(map)) throw bad(path, 'has no weight_map');
  const total = (index as JsonObject).metadata;
  const totalSize = isObject(total) ? total.total_size : undefined;
  return {
    ...(typeof totalSize === 'number' && { totalSize }),
    weightMap: readWeightMap(path, map),
  };
}

/**
 * Checks every index and every numbered set of a release against its files. Throws
 * `bad-weights`; returns what is odd but harmless, a sentence each.
 */
export function checkShards(files: readonly ShardFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path as string, file]));
  refuseIncompleteSets(files);
  return files.flatMap((file) =>
    file.shardIndex === undefined ? [] : checkIndex(file.path, file.shardIndex, byPath),
  );
}

function parseIndex(path: string, bytes: Uint8Array): Json {
  try {
    return parseJson(bytes, path, { maxBytes: MAX_SHARD_INDEX, maxDepth: 8 });
  } catch (error) {
    if (isCoded(error)) throw new CodedError('bad-weights', error.message, {}, { cause: error });
    throw error;
  }
}

/** The values are paths from the index's own folder; they must not lead out of the release. */
function readWeightMap(path: string, map: JsonObject): Map<string, FilePath> {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  // A map of 60 MB names few files: each is parsed once.
  const paths = new Map<string, FilePath>();
  const weightMap = new Map<string, FilePath>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string') throw bad(path, `maps ${JSON.stringify(tensor)} to no file name`);
    const shard = paths.get(file) ?? parseFilePath(`${folder}${file}`);
    paths.set(file, shard);
    weightMap.set(tensor, shard);
  }
  return weightMap;
}

/** Both ways: every mapped tensor is in its file, every tensor of those files is mapped there. */
function checkIndex(
  path: string,
  index: ShardIndex,
  byPath: ReadonlyMap<string, ShardFile>,
): string[] {
  const shards = new Set<string>(index.weightMap.values());
  let total = 0;
  let found = 0;
  for (const shard of [...shards, ...siblingsOf(shards, byPath)]) {
    const tensors = byPath.get(shard)?.tensors;
    if (tensors === undefined) {
      throw bad(
        path,
        `names ${JSON.stringify(shard)}, which is no safetensors file of the release`,
      );
    }
    for (const { name, size } of tensors) {
      if (index.weightMap.get(name) !== shard) {
        throw bad(
          path,
          `does not map the tensor ${JSON.stringify(name)} to ${JSON.stringify(shard)}, which holds it`,
        );
      }
      total += size;
      found += 1;
    }
  }
  if (found !== index.weightMap.size) throw bad(path, missingTensor(index, byPath));
  if (index.totalSize === undefined || index.totalSize === total) return [];
  return [`${path} says total_size ${index.totalSize}, but its tensors have ${total} bytes`];
}

/** Files of the same numbered sets that the index does not name at all. */
function siblingsOf(shards: ReadonlySet<string>, byPath: ReadonlyMap<string, ShardFile>): string[] {
  const sets = new Set([...shards].map((shard) => shardOf(shard)?.set));
  return [...byPath.keys()].filter((path) => {
    const set = shardOf(path)?.set;
    return set !== undefined && sets.has(set) && !shards.has(path);
  });
}

function missingTensor(index: ShardIndex, byPath: ReadonlyMap<string, ShardFile>): string {
  const held = new Set(
    [...byPath.values()].flatMap((f) => f.tensors?.map((t) => `${t.name}\0${f.path}`) ?? []),
  );
  for (const [tensor, shard] of index.weightMap) {
    if (!held.has(`${tensor}\0${shard}`)) {
      return `maps the tensor ${JSON.stringify(tensor)} to ${JSON.stringify(shard)}, which does not hold it`;
    }
  }
  return 'maps tensors that no file holds';
}

interface Shard {
  /** The path with its own number taken out: what all shards of a set share. */
  readonly set: string;
  readonly number: number;
  readonly count: number;
}

/** Reads `-00001-of-00002.safetensors`; some publishers do not pad the numbers. */
function shardOf(path: string): Shard | undefined {
  const match = /^(.*)-(\d{1,6})-of-(\d{1,6})(\.(?:safetensors|gguf))$/.exec(path);
  if (match === null) return undefined;
  const [, stem, number, count, ending] = match;
  return { set: `${stem}-#-of-${count}${ending}`, number: Number(number), count: Number(count) };
}

function refuseIncompleteSets(files: readonly ShardFile[]): void {
  const sets = new Map<string, { readonly count: number; readonly numbers: Set<number> }>();
  for (const { path } of files) {
    const shard = shardOf(path);
    if (shard === undefined) continue;
    const set = sets.get(shard.set) ?? { count: shard.count, numbers: new Set<number>() };
    sets.set(shard.set, set);
    if (shard.number < 1 || shard.number > shard.count || set.numbers.has(shard.number)) {
      throw bad(path, `is no shard of ${shard.count}, or one that is there twice`);
    }
    set.numbers.add(shard.number);
  }
  for (const [set, { count, numbers }] of sets) {
    let missing = 1;
    while (numbers.has(missing)) missing++;
    if (missing <= count) throw bad(set, `lacks shard ${missing} of ${count}: push all of them`);
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(path: string, fault: string): CodedError {
  return new CodedError('bad-weights', `${path} ${fault}`, { path });
}
