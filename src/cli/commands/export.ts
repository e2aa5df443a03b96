/** `export REF --hf-cache DIR | --oci-layout DIR`: a verified release for programs without a network. */
import { type Command, Option } from 'commander';
import { formatBytes, formatCount } from '../../core/amounts.ts';
import { CodedError } from '../../core/error.ts';
import { parseReference } from '../../core/release/name.ts';
import { type Arrange, exportRelease } from '../../transfer/export/export.ts';
import { intoHfCache } from '../../transfer/export/hf-cache.ts';
import { intoOciLayout } from '../../transfer/export/oci-layout.ts';
import { declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { withPool } from '../pool.ts';
import { showing } from '../progress.ts';
import { openReader } from '../reach.ts';
import { formatFields } from '../table.ts';

export function makeCommand(run: Run): Command {
  return declare('export', 'export acme/kimi-k2 --hf-cache ~/.cache/huggingface/hub')
    .argument('<ref>', 'namespace/name, …@version or …@sha256:digest')
    .addOption(
      new Option('--hf-cache <dir>', 'into a cache of Hugging Face clients').conflicts('ociLayout'),
    )
    .option('--oci-layout <dir>', 'into an OCI image layout, beside what it holds')
    .option('--accept-recalled', 'export it although it was recalled')
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(exportTo));
}

interface ExportFlags extends SharedFlags {
  readonly hfCache?: string;
  readonly ociLayout?: string;
  readonly acceptRecalled?: boolean;
}

async function exportTo(context: Context, flags: ExportFlags, text: string): Promise<void> {
  const { output, signal, world } = context;
  const { form, folder, arrange } = destinationOf(flags);
  const reference = parseReference(text);
  const reader = await openReader(context);
  const result = await withPool((pool) =>
    showing({ screen: world.stderr }, (onProgress) => {
      const options = { acceptRecalled: flags.acceptRecalled === true, signal, onProgress };
      return exportRelease(reader, pool, reference, folder, arrange, options);
    }),
  );
  const { digest, index, files, bytes } = result;
  output.result(
    { reference: result.reference, digest, index, files, bytes, form, directory: folder },
    [
      `exported ${result.reference} into ${folder}`,
      ...formatFields([
        ['digest', digest],
        ['log index', String(index)],
        ['verified', `${formatCount(files, 'file')}, ${formatBytes(bytes)}`],
      ]),
    ],
  );
}

function destinationOf({ hfCache, ociLayout }: ExportFlags): {
  readonly form: string;
  readonly folder: string;
  readonly arrange: Arrange;
} {
  if (hfCache !== undefined) return { form: 'hf-cache', folder: hfCache, arrange: intoHfCache };
  if (ociLayout !== undefined) {
    return { form: 'oci-layout', folder: ociLayout, arrange: intoOciLayout };
  }
  throw new CodedError('usage', 'say where to: --hf-cache DIR or --oci-layout DIR');
}
