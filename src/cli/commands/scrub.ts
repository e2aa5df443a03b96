/**
 * `scrub`: every object of a store, read and held against what it must be. It joins the pass
 * that servers are at, or begins one; stopped, it goes on where it was. Exit status 10 when
 * anything is damaged.
 */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { formatBytes, formatCount } from '../../core/amounts.ts';
import { nodeHost } from '../../hashing/host.ts';
import { Damages } from '../../registry/damages.ts';
import type { DamageRecord } from '../../registry/documents/damage.ts';
import { findOrphans, ORPHAN_DAYS, type Orphan, removeOrphan } from '../../scrub/orphans.ts';
import { Scrub, type ScrubReport } from '../../scrub/scrub.ts';
import type { Store } from '../../store/contract.ts';
import { declare, type Run } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { STATUS } from '../exit.ts';
import { openOwnStore } from '../own-store.ts';
import { withPool } from '../pool.ts';
import { showing } from '../progress.ts';
import { parseRate } from '../units.ts';

/** Orphans that are listed one by one. */
const LISTED = 1_000;

export function makeCommand(run: Run): Command {
  return declare('scrub', 'scrub --store ./store --keys ./keys')
    .requiredOption('--store <store>', 'the registry’s store')
    .requiredOption('--keys <dir>', 'the server’s keys')
    .option('--rate <rate>', 'read no faster than this, such as 50MB/s; 0 for no limit', '0')
    .option('--fresh', 'begin anew, also where a pass is under way')
    .option('--remove-orphans', `remove what nothing names and is ${ORPHAN_DAYS} days old`)
    .action(run(scrubStore));
}

interface ScrubFlags extends SharedFlags {
  readonly store: string;
  readonly keys: string;
  readonly rate: string;
  readonly fresh?: boolean;
  readonly removeOrphans?: boolean;
}

async function scrubStore(context: Context, flags: ScrubFlags): Promise<number> {
  const rate = parseRate(flags.rate, '--rate') || undefined;
  const store = await openOwnStore(flags);
  try {
    const damages = new Damages({ store, clock: context.clock });
    const report = await runScrub(context, store, damages, rate, flags.fresh === true);
    const orphans = await sweep(store, damages, flags.removeOrphans === true);
    const damaged = await listDamage(damages);
    tell(context, report, damaged, orphans);
    return damaged.length === 0 ? 0 : STATUS.damaged;
  } finally {
    await store.close();
  }
}

function runScrub(
  { world, signal, clock, output }: Context,
  store: Store,
  damages: Damages,
  rate: number | undefined,
  fresh: boolean,
): Promise<ScrubReport> {
  return withPool((hashing) =>
    showing({ screen: world.stderr }, (_bytes, _entries, onStep) =>
      new Scrub({
        ...{ store, host: nodeHost, hashing, damages, clock, rate, signal },
        holder: randomBytes(16).toString('hex'),
        onFound: (object, record) => {
          if (record !== undefined) output.warn(`${object} is ${record.problem}: ${record.detail}`);
        },
        onProgress: ({ unit, units, total, objects, bytes }) =>
          onStep({
            ...{ phase: 'scrub', done: units, total, format: String },
            file: `${unit.phase}, ${objects} objects, ${formatBytes(bytes)}`,
          }),
      }).run({ fresh }),
    ),
  );
}

interface Swept {
  readonly found: readonly Orphan[];
  readonly count: number;
  readonly bytes: number;
  readonly removed: boolean;
}

async function sweep(store: Store, damages: Damages, remove: boolean): Promise<Swept> {
  const found: Orphan[] = [];
  let count = 0;
  let bytes = 0;
  const random = () => randomBytes(16).toString('hex');
  for await (const orphan of findOrphans({ store, host: nodeHost, damages, random })) {
    count++;
    bytes += orphan.bytes;
    if (found.length < LISTED) found.push(orphan);
    if (remove) await removeOrphan({ store }, orphan);
  }
  return { found, count, bytes, removed: remove && count > 0 };
}

async function listDamage(
  damages: Damages,
): Promise<(Partial<DamageRecord> & { object: string })[]> {
  const found = [];
  for await (const { object, record } of damages.records()) found.push(record ?? { object });
  return found;
}

function tell(
  { output }: Context,
  { pass, objects, bytes, healed }: ScrubReport,
  damaged: Awaited<ReturnType<typeof listDamage>>,
  orphans: Swept,
): void {
  const document = {
    ok: damaged.length === 0,
    pass: pass.pass,
    begun: pass.begun,
    ended: pass.ended ?? null,
    objects,
    bytes,
    damaged,
    healed,
    orphans: {
      count: orphans.count,
      bytes: orphans.bytes,
      removed: orphans.removed,
      found: orphans.found,
    },
  };
  output.result(document, [
    `scrubbed: ${formatCount(objects, 'object')}, ${formatBytes(bytes)}; pass ${pass.pass} is done`,
    ...damaged.map((each) => `${each.object}: ${each.problem ?? 'damaged'}${details(each)}`),
    ...healed.map((object) => `${object}: whole again`),
    damaged.length === 0
      ? 'nothing is damaged'
      : `${formatCount(damaged.length, 'object')} damaged: restore with "weighhouse repair --from DIR|URL"`,
    ...describeOrphans(orphans),
  ]);
}

function details({ detail, chunks }: Partial<DamageRecord>): string {
  const where = chunks === undefined || chunks.length === 0 ? '' : `, chunk ${chunks.join(', ')}`;
  return `${where}${detail === undefined ? '' : ` (${detail})`}`;
}

function describeOrphans({ count, bytes, removed }: Swept): string[] {
  if (count === 0) return [];
  const what = `${formatCount(count, 'orphan')}, ${formatBytes(bytes)}`;
  return [
    removed ? `removed ${what}` : `${what}: nothing names them; --remove-orphans removes them`,
  ];
}
