/** `hold REF --reason …`: stops a release for now; whoever may lift it lets it go on. */
import type { Command } from 'commander';
import { declare, type Run } from '../command.ts';
import type { Context } from '../context.ts';
import { type DecideFlags, runDecision, takingDecision } from '../deciding.ts';

export function makeCommand(run: Run): Command {
  return takingDecision(
    declare(
      'hold',
      'hold acme/kimi-k2@v1.0 --reason "One more safety test" --key rita.key',
    ).requiredOption('--reason <text>', 'why; revealed with the release'),
  ).action(run(hold));
}

async function hold(
  context: Context,
  flags: DecideFlags & { readonly reason: string },
  reference: string,
): Promise<void> {
  const { reason } = flags;
  await runDecision(context, flags, reference, () => ({ decision: 'hold', reason }));
}
