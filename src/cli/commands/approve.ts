/** `approve REF`: says with a personal key that what is sealed may be released. */
import type { Command } from 'commander';
import { declare, type Run } from '../command.ts';
import type { Context } from '../context.ts';
import { type DecideFlags, runDecision, takingDecision } from '../deciding.ts';

export function makeCommand(run: Run): Command {
  return takingDecision(
    declare('approve', 'approve acme/kimi-k2@v1.0 --digest sha256:9f86d0… --key rita.key').option(
      '--reason <text>',
      'why; revealed with the release',
    ),
  ).action(run(approve));
}

async function approve(
  context: Context,
  flags: DecideFlags & { readonly reason?: string },
  reference: string,
): Promise<void> {
  const { reason } = flags;
  await runDecision(context, flags, reference, () => ({
    decision: 'approve',
    ...(reason === undefined ? {} : { reason }),
  }));
}
