/** What `inspect` answers: one document for programs, tables for people. */

import { formatBytes, formatCount, formatParameters } from '../core/amounts.ts';
import type { GgufValue } from '../core/weights/gguf.ts';
import type { HeaderLevel } from '../core/weights/header-plan.ts';
import { countByDtype, type Tensor } from '../core/weights/tensor.ts';
import { advisoryDocuments } from './advisories.ts';
import type { Inspected, InspectedFile, Published } from './inspected.ts';
import { formatFields, formatTable } from './table.ts';

/** Keys of metadata that people are shown, and characters of each value; `--json` has all. */
const SHOWN_KEYS = 30;
const SHOWN_CHARACTERS = 100;

interface TensorIn extends Tensor {
  readonly file: string;
}

type Field = readonly [string, string];

export function inspectionDocument(inspected: Inspected) {
  const { files, warnings, published } = inspected;
  const dtypes = countByDtype(tensorsOf(inspected));
  return {
    ...(published === undefined ? {} : publishedDocument(published)),
    format: formatOf(files),
    parameters: total(dtypes),
    dtypes,
    tensors: tensorsOf(inspected),
    files: files.map(fileDocument),
    warnings,
  };
}

export function inspectionLines(inspected: Inspected): string[] {
  const { files, isDirectory } = inspected;
  const tensors = tensorsOf(inspected);
  return [
    ...formatFields(fieldsOf(inspected)),
    ...(isDirectory ? ['', ...fileTable(files)] : []),
    ...(tensors.length === 0 ? [] : ['', ...tensorTable(tensors, isDirectory)]),
  ];
}

function fileDocument({
  path,
  size,
  format,
  executesCode,
  tensors,
  metadata,
  checked,
}: InspectedFile) {
  return {
    path,
    size,
    format,
    ...(executesCode === undefined ? {} : { executesCode }),
    ...(tensors === undefined ? {} : { tensors: tensors.length }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(checked === undefined ? {} : { checked }),
  };
}

function publishedDocument({ resolved, reference, read }: Published) {
  const { digest } = resolved.verified;
  return { reference, digest, read, advisories: advisoryDocuments(resolved) };
}

function tensorsOf({ files }: Inspected): TensorIn[] {
  return files.flatMap(({ path, tensors = [] }) =>
    tensors.map((tensor): TensorIn => ({ ...tensor, file: path })),
  );
}

/** The format of the weights; of a directory that has several, `mixed`; without any, its only file's. */
function formatOf(files: readonly InspectedFile[]): string {
  const weights = files.filter(({ tensors }) => tensors !== undefined);
  const formats = new Set((weights.length > 0 ? weights : files).map(({ format }) => format));
  const [only] = formats;
  return formats.size === 1 && only !== undefined ? only : 'mixed';
}

function fieldsOf(inspected: Inspected): Field[] {
  const { files, published } = inspected;
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return [
    ...(published === undefined ? [] : publishedFields(published, files)),
    ['format', formatOf(files)],
    ['size', `${formatBytes(bytes)} in ${formatCount(files.length, 'file')}`],
    ...tensorFields(tensorsOf(inspected)),
    ...metadataFields(files),
    ...files.flatMap(({ path, executesCode }): Field[] =>
      executesCode === undefined ? [] : [['runs code', `${path}: ${executesCode}`]],
    ),
  ];
}

/** What a person has to know of each level. */
const LEVELS: Readonly<Record<HeaderLevel, string>> = {
  header: 'every header is, byte for byte, the one that was released',
  tensors: 'the tensors are those that were released; the metadata is as the server sent it',
};

function publishedFields(
  { resolved, reference, read }: Published,
  files: readonly InspectedFile[],
): Field[] {
  const levels = new Set(files.flatMap(({ checked = [] }) => checked));
  return [
    ['release', reference],
    ['digest', resolved.verified.digest],
    ...[...levels].map((level): Field => ['checked', `${level}: ${LEVELS[level]}`]),
    ['read', `${formatBytes(read.bytes)} of ${formatBytes(read.of)}`],
  ];
}

function tensorFields(tensors: readonly TensorIn[]): Field[] {
  if (tensors.length === 0) return [];
  const dtypes = countByDtype(tensors);
  const each = Object.entries(dtypes).map(
    ([dtype, count]) => `${dtype} ${formatParameters(count)}`,
  );
  return [
    ['tensors', `${tensors.length}, with ${formatParameters(total(dtypes))} parameters`],
    ['dtypes', each.join(', ')],
  ];
}

/** Shards repeat what the first one says: each key once, with its value where all agree. */
function metadataFields(files: readonly InspectedFile[]): Field[] {
  const values = new Map<string, Set<GgufValue>>();
  for (const { metadata = {} } of files) {
    for (const [key, value] of Object.entries(metadata)) {
      values.set(key, (values.get(key) ?? new Set()).add(value));
    }
  }
  const lines = [...values].map(([key, [only, ...others]]) =>
    others.length > 0 ? `${key}: differs from file to file` : `${key}: ${shortened(only!)}`,
  );
  const more = lines.length - SHOWN_KEYS;
  const shown = more > 0 ? [...lines.slice(0, SHOWN_KEYS), `and ${more} more (--json)`] : lines;
  return shown.map((line, i): Field => [i === 0 ? 'metadata' : '', line]);
}

function shortened(value: GgufValue): string {
  const text = String(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function fileTable(files: readonly InspectedFile[]): string[] {
  const rows = files.map(({ path, size, format, tensors }) => [
    path,
    formatBytes(size),
    format,
    tensors === undefined ? '' : String(tensors.length),
  ]);
  const align = ['left', 'right', 'left', 'right'] as const;
  return formatTable(['FILE', 'SIZE', 'FORMAT', 'TENSORS'], rows, align);
}

function tensorTable(tensors: readonly TensorIn[], withFile: boolean): string[] {
  const rows = tensors.map(({ name, dtype, shape, size, file }) => [
    name,
    dtype,
    `[${shape.join(', ')}]`,
    formatBytes(size),
    ...(withFile ? [file] : []),
  ]);
  const headings = ['TENSOR', 'DTYPE', 'SHAPE', 'SIZE', ...(withFile ? ['FILE'] : [])];
  return formatTable(headings, rows, ['left', 'left', 'left', 'right']);
}
