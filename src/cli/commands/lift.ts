/** `lift REF --reason …`: says that an objection, hold or postponement no longer stands. */
import type { Command } from 'commander';
import { standing } from '../../client/decide/standing.ts';
import { type Digest, digestOf, parseDigest } from '../../core/digest.ts';
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

/** What the gate calls that which a lift can end. */
const STOPS: ReadonlySet<string> = new Set(['objection', 'hold', 'postponed']);

interface LiftFlags extends DecideFlags {
  readonly decision?: string;
  readonly reason: string;
}

async function lift(context: Context, flags: LiftFlags, reference: string): Promise<void> {
  const { decision, reason } = flags;
  const named = decision === undefined ? undefined : parseDigest(decision, '--decision');
  await runDecision(context, flags, reference, async (means, release) => ({
    decision: 'lift',
    lifts: await meant(means, release, named, context.signal),
    reason,
  }));
}

/** The one that is named, if it is there; without a name the only one. */
async function meant(
  { host, desk, reader }: OpenMeans,
  release: ReleaseName,
  named: Digest | undefined,
  signal: AbortSignal,
): Promise<Digest> {
  const draft = await desk.draft(release);
  const name = formatReleaseName(release);
  if (named !== undefined) {
    if (draft.decisions.some(({ envelope }) => digestOf(host, envelope) === named)) return named;
    throw new CodedError('not-found', `${name} has no decision ${named}; "status" names them`);
  }
  const { missing } = await reader.api.draftStatus(release, { signal });
  const stops = standing(
    host,
    draft,
    missing.some(({ need }) => STOPS.has(need)),
  );
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
