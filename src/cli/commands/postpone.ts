/** `postpone REF --until …`: no release before a time, or until further notice; in public if asked. */
import type { Command } from 'commander';
import { CodedError } from '../../core/error.ts';
import { parseReleaseName } from '../../core/release/name.ts';
import { sendAnnouncement } from '../announcing.ts';
import { declare, type Run } from '../command.ts';
import type { Context } from '../context.ts';
import { type DecideFlags, runDecision, takingDecision } from '../deciding.ts';
import { parseInstant } from '../units.ts';

export function makeCommand(run: Run): Command {
  return takingDecision(
    declare(
      'postpone',
      'postpone acme/kimi-k2@v1.0 --until indefinitely --reason "More safety tests" --key max.key',
    )
      .requiredOption('--until <date>', 'a date or time in UTC, or "indefinitely"')
      .requiredOption('--reason <text>', 'why; revealed with the release')
      .option('--public', 'announce it too, with its date and reason, for everybody to read now'),
  ).action(run(postpone));
}

interface PostponeFlags extends DecideFlags {
  readonly until: string;
  readonly reason: string;
  readonly public?: boolean;
}

async function postpone(context: Context, flags: PostponeFlags, reference: string): Promise<void> {
  const { reason } = flags;
  const date = flags.until === 'indefinitely' ? null : parseInstant(flags.until, '--until');
  if (date !== null && Date.parse(date) <= context.clock()) {
    throw new CodedError('usage', `--until ${flags.until} has passed: name a time to come`);
  }
  const until = date ?? 'indefinitely';
  const done = await runDecision(context, flags, reference, () => ({
    decision: 'postpone',
    until,
    reason,
  }));
  if (flags.public !== true) return;
  const { output } = context;
  if (done === undefined) {
    output.warn('not announced: do it with "weighhouse announce --postponed" when it is recorded');
    return;
  }
  const release = parseReleaseName(reference);
  const said = { release, announcement: 'postponed', date, reason } as const;
  const index = await sendAnnouncement(context, flags, said);
  output.say(`announced in entry ${index} of the log, for everybody to read`);
}
