/** `object REF --reason …`: says with a personal key that what is sealed must not be released. */
import type { Command } from 'commander';
import { declare, type Run } from '../command.ts';
import type { Context } from '../context.ts';
import { type DecideFlags, runDecision, takingDecision } from '../deciding.ts';

export function makeCommand(run: Run): Command {
  return takingDecision(
    declare(
      'object',
      'object acme/kimi-k2@v1.0 --reason "A data set without a licence" --key rita.key',
    ).requiredOption('--reason <text>', 'why; revealed with the release'),
  ).action(run(object));
}

async function object(
  context: Context,
  flags: DecideFlags & { readonly reason: string },
  reference: string,
): Promise<void> {
  const { reason } = flags;
  await runDecision(context, flags, reference, () => ({ decision: 'object', reason }));
}
