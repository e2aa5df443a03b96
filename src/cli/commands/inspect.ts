/** `inspect PATH`: what a file or a directory is, and the tensors in it. */
import type { Command } from 'commander';
import { countElements, type Tensor } from '../../core/weights/tensor.ts';
import { declare, type Run } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { type InspectedFile, type InspectedPath, inspectPath } from '../inspection.ts';
import { formatFields, formatTable } from '../table.ts';
import { formatBytes, formatCount, formatParameters } from '../units.ts';

export function makeCommand(run: Run): Command {
  return declare('inspect', 'inspect ./kimi-k2/model.safetensors')
    .argument('<path>', 'a file, or a directory with a model')
    .action(run(inspect));
}

interface TensorIn extends Tensor {
  readonly file: string;
}

async function inspect({ output }: Context, _flags: SharedFlags, path: string): Promise<void> {
  const inspected = await inspectPath(path);
  const format = formatOf(inspected);
  const tensors = inspected.files.flatMap((file) =>
    (file.tensors ?? []).map((tensor): TensorIn => ({ ...tensor, file: file.path })),
  );
  for (const warning of inspected.warnings) output.warn(warning);
  output.result(
    { format, tensors, files: inspected.files.map(fileDocument), warnings: inspected.warnings },
    [
      ...describe(inspected, format, tensors),
      ...(inspected.isDirectory ? ['', ...fileTable(inspected.files)] : []),
      ...(tensors.length === 0 ? [] : ['', ...tensorTable(tensors, inspected.isDirectory)]),
    ],
  );
}

/** The format of the weights; of a directory that has several, `mixed`; without any, its only file's. */
function formatOf({ files }: InspectedPath): string {
  const weights = files.filter(({ tensors }) => tensors !== undefined);
  const formats = new Set((weights.length > 0 ? weights : files).map(({ format }) => format));
  const [only] = formats;
  return formats.size === 1 && only !== undefined ? only : 'mixed';
}

function fileDocument({ path, size, format, executesCode, tensors, metadata }: InspectedFile) {
  return {
    path,
    size,
    format,
    ...(executesCode === undefined ? {} : { executesCode }),
    ...(tensors === undefined ? {} : { tensors: tensors.length }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

function describe(
  { files }: InspectedPath,
  format: string,
  tensors: readonly TensorIn[],
): string[] {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const parameters = tensors.reduce((sum, { shape }) => sum + (countElements(shape) ?? 0), 0);
  const fields: [string, string][] = [
    ['format', format],
    ['size', `${formatBytes(bytes)} in ${formatCount(files.length, 'file')}`],
  ];
  if (tensors.length > 0) {
    fields.push(['tensors', `${tensors.length}, with ${formatParameters(parameters)} parameters`]);
  }
  for (const { path, executesCode } of files) {
    if (executesCode !== undefined) fields.push(['runs code', `${path}: ${executesCode}`]);
  }
  return formatFields(fields);
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
