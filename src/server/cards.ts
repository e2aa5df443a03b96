/**
 * What a release says of itself: the front matter of its README.md, its config.json, the header
 * of its GGUF file, and how many parameters its tensors have. Any of it may be missing, wrong or
 * too large; then nothing is said. The bytes are checked against the manifest before anything is
 * read out of them.
 */
import { createHash } from 'node:crypto';
import { parse as parseYaml } from 'yaml';
import { concat, parseUtf8 } from '../core/bytes.ts';
import { type Digest, formatDigest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { baseTags } from '../core/release/claims.ts';
import { findFile } from '../core/release/manifest.ts';
import { readGguf } from '../core/weights/gguf.ts';
import type { WeightsSums } from '../core/weights/summary.ts';
import { nodeHost } from '../hashing/host.ts';
import { checkedReaderOf } from '../registry/checked-reader.ts';
import type { Content, PublishedRelease, Registry } from '../registry/registry.ts';
import type { Tensors } from './tensors/tensors.ts';

/** Bytes of a README.md, or of a config.json, that are read. */
export const MAX_CARD_BYTES = 2 ** 20;
/** Cards that are kept. */
const MAX_KEPT = 512;

const FRONT_MATTER = /^---\r?\n([\s\S]*?)\r?\n---(?:\r?\n|$)/;

export interface Card {
  /** Members of the model's description: `cardData`, `config`, `library_name`, `safetensors` … */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly tags: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

export class Cards {
  readonly #registry: Registry;
  readonly #tensors: Tensors;
  readonly #kept = new Map<Digest, Promise<Card>>();

  constructor(registry: Registry, tensors: Tensors) {
    this.#registry = registry;
    this.#tensors = tensors;
  }

  /** The card of a release, read once. */
  of(published: PublishedRelease): Promise<Card> {
    const { digest } = published;
    const known = this.#kept.get(digest);
    if (known !== undefined) return known;
    const card = this.#read(published);
    card.catch(() => this.#kept.delete(digest));
    if (this.#kept.size >= MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(digest, card);
    return card;
  }

  /** The text of its README.md, if it has one; read anew each time. */
  readme(published: PublishedRelease): Promise<string | undefined> {
    return this.#text(published, 'README.md');
  }

  async #read(published: PublishedRelease): Promise<Card> {
    const [readme, configText, weights, gguf] = await Promise.all([
      this.#text(published, 'README.md'),
      this.#text(published, 'config.json'),
      this.#tensors.sums(published),
      this.#gguf(published),
    ]);
    const data = frontMatter(readme);
    const config = configOf(configText);
    const library = textOf(data?.library_name) ?? (config && 'transformers');
    const pipeline = textOf(data?.pipeline_tag);
    return {
      fields: {
        ...(data === undefined ? {} : { cardData: data }),
        ...(config === undefined ? {} : { config }),
        ...(library === undefined ? {} : { library_name: library }),
        ...(pipeline === undefined ? {} : { pipeline_tag: pipeline }),
        ...parameters(weights, gguf),
      },
      tags: [...tagsOf(data, library), ...baseTags(published.manifest)],
    };
  }

  /** The text of a small file; undefined when it is missing, large or no text. */
  async #text({ release, manifest }: PublishedRelease, path: string): Promise<string | undefined> {
    const file = findFile(manifest, path);
    if (file === undefined || file.size > MAX_CARD_BYTES) return undefined;
    const bytes = await readWhole(await this.#registry.contentToDescribe(release, path));
    return orUndefined(() => parseUtf8(bytes, path));
  }

  /** What the first GGUF file says of itself, in the hub's words. */
  async #gguf({ release, manifest }: PublishedRelease): Promise<Fields> {
    const file = manifest.files.find(({ format }) => format === 'gguf');
    if (file === undefined) return {};
    const content = await this.#registry.contentToDescribe(release, file.path);
    const { metadata } = await readGguf(checkedReaderOf(nodeHost, content), file.path);
    const architecture = textOf(metadata['general.architecture']);
    const context = metadata[`${architecture}.context_length`];
    return {
      ...(architecture !== undefined && { architecture }),
      ...(typeof context === 'number' && { context_length: context }),
    };
  }
}

/** The bytes of a small file, checked. Throws `storage` when they are others. */
async function readWhole(content: Content): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const whole = { offset: 0, length: content.size };
  for await (const part of await content.read(whole)) parts.push(part);
  const bytes = concat(...parts);
  if (formatDigest(createHash('sha256').update(bytes).digest()) === content.sha256) return bytes;
  throw new CodedError('storage', `the store’s bytes of ${content.path} are damaged; restore them`);
}

/** The YAML between the two lines of dashes that a README.md begins with. */
function frontMatter(readme: string | undefined): Fields | undefined {
  const text = FRONT_MATTER.exec(readme ?? '')?.[1];
  if (text === undefined) return undefined;
  // Without aliases a document is as large as it looks.
  return orUndefined(() => fieldsOf(parseYaml(text, { maxAliasCount: 0, logLevel: 'silent' })));
}

/** What clients ask of a configuration. */
function configOf(text: string | undefined): Fields | undefined {
  const config = orUndefined(() => fieldsOf(JSON.parse(text ?? '')));
  const { architectures, model_type, quantization_config } = config ?? {};
  if (architectures === undefined && model_type === undefined) return undefined;
  const quantization = fieldsOf(quantization_config);
  return { architectures, model_type, ...(quantization && { quantization_config: quantization }) };
}

function tagsOf(data: Fields | undefined, library: string | undefined): string[] {
  const tags = Array.isArray(data?.tags) ? data.tags.flatMap((tag) => textOf(tag) ?? []) : [];
  const license = textOf(data?.license);
  return [
    ...(library === undefined ? [] : [library]),
    ...tags,
    ...(license === undefined ? [] : [`license:${license}`]),
  ];
}

/** Parameters by type, for each format that has any. */
function parameters(weights: WeightsSums | undefined, about: Fields): Fields {
  const count = (format: keyof WeightsSums['byFormat']) => {
    const { parameters: total = 0, dtypes } = weights?.byFormat[format] ?? {};
    return total > 0 ? { parameters: dtypes, total } : undefined;
  };
  const safetensors = count('safetensors');
  const gguf = count('gguf');
  return {
    ...(safetensors === undefined ? {} : { safetensors }),
    ...(gguf === undefined ? {} : { gguf: { total: gguf.total, ...about } }),
  };
}

function fieldsOf(value: unknown): Fields | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
