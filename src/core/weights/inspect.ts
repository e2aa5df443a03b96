/**
 * What a file, and what a release, turns out to be. `seal` and `weighhouse inspect` both ask
 * here, so that nothing passes the one and puzzles the other.
 */
import { parseUtf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import { type FilePath, refuseTwins } from '../release/path.ts';
import type { Format } from './format.ts';
import { type GgufValue, readGguf } from './gguf.ts';
import type { InventoryFormat } from './inventory.ts';
import { type ByteReader, readExactly, withEnds } from './reader.ts';
import { readSafetensors, WIDELY_READ_HEADER } from './safetensors.ts';
import { checkShards, isShardIndexPath, readShardIndex, type ShardIndex } from './sharded.ts';
import { type Sniffed, sniff } from './sniff.ts';
import type { Tensor } from './tensor.ts';

/** Bytes of a configuration; larger ones count as carrying code. */
export const MAX_CONFIG = 16 * 1024 * 1024;

export interface Inspection {
  readonly path: FilePath;
  /** Bytes of the file. */
  readonly size: number;
  readonly format: Format;
  /** Why loading the file may run code; absent when nothing says so. */
  readonly executesCode?: string;
  /** In the order in which they lie in the file. */
  readonly tensors?: readonly Tensor[];
  readonly metadata?: Readonly<Record<string, GgufValue>>;
  readonly shardIndex?: ShardIndex;
  /** What is odd but harmless, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Reads what is worth knowing of one file: heads, tails and headers, never the weights.
 * Throws `bad-weights` for weights and indexes that break their format. Whether code is
 * welcome is for the policy: `refuseCode`.
 */
export async function inspectFile(path: FilePath, source: ByteReader): Promise<Inspection> {
  const reader = withEnds(source);
  const sniffed = byName(path, await sniff(reader));
  const file = { path, size: reader.size, ...sniffed, warnings: [] };
  if (sniffed.executesCode !== undefined) return file;
  const format = weightsFormat(path, sniffed);
  if (format !== undefined) return inspectWeights({ path, format }, reader);
  if (isShardIndexPath(path)) return { ...file, shardIndex: await readShardIndex(path, reader) };
  if (!isConfigPath(path)) return file;
  const executesCode = await configCode(path, reader);
  return { ...file, ...(executesCode !== undefined && { executesCode }) };
}

/**
 * Reads the header of a file of that format, and nothing from byte `headerEnd` on. Throws
 * `bad-weights`.
 */
export async function inspectWeights(
  { path, format }: { readonly path: FilePath; readonly format: InventoryFormat },
  reader: ByteReader,
  headerEnd?: number,
): Promise<Inspection> {
  const file = { path, size: reader.size, format };
  if (format === 'gguf') {
    const { metadata, tensors } = await readGguf(reader, path, headerEnd);
    return { ...file, metadata, tensors, warnings: [] };
  }
  const { headerSize, metadata, tensors } = await readSafetensors(reader, path);
  const warnings =
    headerSize > WIDELY_READ_HEADER
      ? [
          `${path} has a header of ${headerSize} bytes; some clients read ${WIDELY_READ_HEADER} at most`,
        ]
      : [];
  return { ...file, metadata, tensors, warnings };
}

/**
 * The checks that need all files of a release at once: names and shards. Throws `bad-path`
 * and `bad-weights`; returns all warnings.
 */
export function inspectRelease(files: readonly Inspection[]): readonly string[] {
  refuseTwins(files.map((file) => file.path));
  return [...files.flatMap((file) => file.warnings), ...checkShards(files)];
}

/**
 * Refuses files that carry code, unless the policy allows their format by name. Throws
 * `code-carrying-format`.
 */
export function refuseCode(files: readonly Inspection[], allowed: ReadonlySet<Format>): void {
  for (const { path, format, executesCode } of files) {
    if (executesCode !== undefined && !allowed.has(format)) {
      throw new CodedError(
        'code-carrying-format',
        `${path} may run code when it is loaded (${executesCode}); leave it out, convert it to safetensors, or have the namespace's policy allow "${format}"`,
        { path, format },
      );
    }
  }
}

const PYTHON = /\.(?:py|pyw|pyc|pyo|pyd)$/i;
const PICKLE = /\.(?:pkl|pickle|dill|joblib|pt|pth|ckpt|mar)$/i;

/** Code whose content is plain text is known by its name alone: that is how loaders find it. */
function byName(path: string, sniffed: Sniffed): Sniffed {
  if (sniffed.executesCode !== undefined) return sniffed;
  if (PYTHON.test(path)) return { format: 'python', executesCode: 'Python code' };
  if (PICKLE.test(path) && sniffed.format === 'other') {
    return { ...sniffed, executesCode: 'named like a pickle, and not recognised as anything else' };
  }
  return sniffed;
}

/** What is named like weights has to be weights. */
function weightsFormat(path: string, { format }: Sniffed): InventoryFormat | undefined {
  if (format === 'safetensors' || /\.safetensors$/i.test(path)) return 'safetensors';
  return format === 'gguf' || /\.gguf$/i.test(path) ? 'gguf' : undefined;
}

/** config.json, tokenizer_config.json, preprocessor_config.json, …, in any folder. */
function isConfigPath(path: string): boolean {
  return /(?:^|\/|_)config\.json$/i.test(path);
}

/**
 * Transformers fetches and runs the Python that `auto_map` names, even from another
 * repository, so the configuration itself is what carries code. It is searched as text:
 * Python's reader takes JSON that ours refuses (`Infinity`), and any depth counts.
 */
async function configCode(path: string, reader: ByteReader): Promise<string | undefined> {
  if (reader.size > MAX_CONFIG) return 'a configuration too large to be looked into';
  const text = parseUtf8(await readExactly(reader, 0, reader.size), path);
  const key = /"(auto_map|trust_remote_code|custom_pipelines?)"\s*:/.exec(
    withoutEscapes(text),
  )?.[1];
  return key === undefined ? undefined : `it names code to run, in "${key}"`;
}

/** Letters may be written `\u0061`; a key must not hide behind that. */
function withoutEscapes(text: string): string {
  return text.replace(/\\u00([0-7][0-9a-f])/gi, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
