/**
 * `repair`: restores what a scrub has found damaged, from what is left of it, from the log, and
 * from the directories and registries that `--from` names. Exit status 0 only when nothing
 * damaged is left.
 */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { formatBytes, formatCount } from '../../core/amounts.ts';
import { nodeHost } from '../../hashing/host.ts';
import { Damages } from '../../registry/damages.ts';
import { openFolderSource } from '../../scrub/repair/folder-source.ts';
import { openRegistrySource } from '../../scrub/repair/registry-source.ts';
import { Repair, type RepairedObject, type RepairReport } from '../../scrub/repair/repair.ts';
import type { RepairSource } from '../../scrub/repair/source.ts';
import { collect, declare, type Run, tokenFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { STATUS } from '../exit.ts';
import { openOwnStore } from '../own-store.ts';
import { withPool } from '../pool.ts';
import { showing } from '../progress.ts';

export function makeCommand(run: Run): Command {
  return declare('repair', 'repair --from ./pulled --store ./store --keys ./keys')
    .option(
      '--from <dir|url>',
      'a directory that was pulled into, or a registry that has it; may be repeated',
      collect,
    )
    .requiredOption('--store <store>', 'the registry’s store')
    .requiredOption('--keys <dir>', 'the server’s keys')
    .option('--dry-run', 'say what can be restored, and restore nothing')
    .addOption(tokenFlag())
    .action(run(repairStore));
}

interface RepairFlags extends SharedFlags {
  readonly from?: readonly string[];
  readonly store: string;
  readonly keys: string;
  readonly dryRun?: boolean;
}

async function repairStore(context: Context, flags: RepairFlags): Promise<number> {
  const refusals = new Set<string>();
  const sources = await openSources(context, flags.from ?? [], (why) => refusals.add(why));
  const store = await openOwnStore(flags);
  const dryRun = flags.dryRun === true;
  try {
    const damages = new Damages({ store, clock: context.clock });
    const { signal, world } = context;
    const random = () => randomBytes(16).toString('hex');
    const report = await withPool((hashing) =>
      showing({ screen: world.stderr }, (_bytes, _entries, onStep) =>
        new Repair({
          ...{ store, host: nodeHost, hashing, damages, sources, random, signal, dryRun },
          onObject: (done, total, file) =>
            onStep({ phase: 'repair', done, total, file, format: String }),
        }).run(),
      ),
    );
    for (const why of refusals) context.output.warn(why);
    tell(context, report, dryRun);
    return report.left === 0 ? 0 : STATUS.damaged;
  } finally {
    for (const source of sources) source.close?.();
    await store.close();
  }
}

function openSources(
  { config, signal }: Context,
  from: readonly string[],
  onRefused: (why: string) => void,
): Promise<RepairSource[]> {
  return Promise.all(
    from.map(async (each) =>
      /^https?:\/\//.test(each)
        ? openRegistrySource(each, { token: config.token, signal, onRefused })
        : openFolderSource(each),
    ),
  );
}

function tell({ output }: Context, { objects, left }: RepairReport, dryRun: boolean): void {
  const document = { ok: left === 0, dryRun, objects, left };
  output.result(document, [...objects.map(describe), conclude(objects, left)]);
}

function conclude(objects: readonly RepairedObject[], left: number): string {
  if (objects.length === 0) return 'nothing is known to be damaged; "weighhouse scrub" looks';
  if (left === 0) return 'nothing is damaged any more';
  return `${formatCount(left, 'object')} still damaged: name another source with --from, or restore it from a backup`;
}

function describe({ object, outcome, from, fetched, detail }: RepairedObject): string {
  const source = from.length === 0 ? '' : ` from ${from.join(', ')}`;
  const amount = fetched === 0 ? '' : `, ${formatBytes(fetched)}`;
  return `${object}: ${outcome}${source}${amount}${detail === undefined ? '' : ` (${detail})`}`;
}
