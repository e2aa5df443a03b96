/** `lift REF --reason …`: says that an objection, hold or postponement no longer stands. */
import type { Command } from 'commander';
import { standing } from '../../client/decide/standing.ts';
import { type Digest, parseDigest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import { formatReleaseName, type ReleaseName } from '../../core/release/name.ts';
import { declare, type Run } from '../command.ts';
import type { Context } from '../context.ts';
import { type DecideFlags, runDecision, takingDecision } from '../deciding.ts';
import type { OpenMeans } from '../means.ts';

export function makeCommand(run: Run): Command {
  return takingDecision(
    declare('lift', 'lift acme/kimi-k2@v1.0 --reason "The test passed" --key max.key')
      .option(
        '--decision <digest>',
        'which one, as "status" shows it; needed where there are several',
      )
      .requiredOption('--reason <text>', 'why; revealed with the release'),
  ).action(run(lift));
}

interface LiftFlags extends DecideFlags {
  readonly decision?: string;
  readonly reason: string;
}

async function lift(context: Context, flags: LiftFlags, reference: string): Promise<void> {
  const { decision, reason } = flags;
  const named = decision === undefined ? undefined : parseDigest(decision, '--decision');
  await runDecision(context, flags, reference, async (means, release) => ({
    decision: 'lift',
    lifts: named ?? (await onlyOne(means, release)),
    reason,
  }));
}

async function onlyOne({ host, desk }: OpenMeans, release: ReleaseName): Promise<Digest> {
  const stops = standing(host, await desk.draft(release));
  const name = formatReleaseName(release);
  if (stops.length === 1) return stops[0]!.name;
  if (stops.length === 0) {
    throw new CodedError('not-found', `nothing stops ${name} that could be lifted`);
  }
  const all = stops.map((stop) => `--decision ${stop.name} (${stop.decision}: ${stop.reason})`);
  throw new CodedError(
    'usage',
    `${stops.length} decisions stop ${name}; say which one is lifted: ${all.join('; ')}`,
    { decisions: stops },
  );
}
