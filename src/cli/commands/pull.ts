/** `pull REF [DIR]`: a release into a directory, every byte verified. Stopped, it goes on. */
import type { Command } from 'commander';
import { formatBytes, formatCount } from '../../core/amounts.ts';
import { parseReference } from '../../core/release/name.ts';
import { type PullResult, pull } from '../../transfer/pull.ts';
import { advisoryDocuments, warnOfAdvisories } from '../advisories.ts';
import { declare, excludeFlag, includeFlag, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { withPool } from '../pool.ts';
import { showing } from '../progress.ts';
import { openReader } from '../reach.ts';
import { formatFields } from '../table.ts';

export function makeCommand(run: Run): Command {
  return declare('pull', 'pull acme/kimi-k2@v1.0 ./kimi-k2')
    .argument('<ref>', 'namespace/name, …@version or …@sha256:digest')
    .argument('[dir]', 'where to; by default a directory with the model’s name')
    .option('--dry-run', 'only say what would be fetched')
    .option('--accept-recalled', 'pull it although it was recalled')
    .addOption(includeFlag())
    .addOption(excludeFlag())
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(pullRelease));
}

interface PullFlags extends SharedFlags {
  readonly dryRun?: boolean;
  readonly acceptRecalled?: boolean;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

async function pullRelease(
  context: Context,
  flags: PullFlags,
  text: string,
  directory?: string,
): Promise<void> {
  const { output, signal, world } = context;
  const reference = parseReference(text);
  const folder = directory ?? reference.name;
  const reader = await openReader(context);
  const { dryRun = false, acceptRecalled = false, include, exclude } = flags;
  const result = await withPool((pool) =>
    showing({ screen: world.stderr }, (onProgress) => {
      const options = { dryRun, acceptRecalled, include, exclude, signal, onProgress };
      return pull(reader, pool, reference, folder, options);
    }),
  );
  warnOfAdvisories(output, result.reference, result);
  output.result(
    { ...result, directory: folder, advisories: advisoryDocuments(result) },
    describe(result, folder, dryRun),
  );
}

function describe(result: PullResult, folder: string, dryRun: boolean): string[] {
  const { reference, digest, index, files, bytes, fetched } = result;
  const size = `${formatCount(files, 'file')}, ${formatBytes(bytes)}`;
  const last: [string, string] = dryRun
    ? ['size', `${size}, ${formatBytes(fetched)} to fetch`]
    : ['verified', `${size}, ${formatBytes(fetched)} fetched`];
  return [
    `${dryRun ? 'would pull' : 'pulled'} ${reference} into ${folder}`,
    ...formatFields([['digest', digest], ['log index', String(index)], last]),
  ];
}
