/** `withdraw REF`: gives up a draft. What is published stays: for that there is `advise`. */
import type { Command } from 'commander';
import { parseReleaseName } from '../../core/release/name.ts';
import { declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { openApiWithToken } from '../reach.ts';

export function makeCommand(run: Run): Command {
  return declare('withdraw', 'withdraw acme/kimi-k2@v1.0-rc1')
    .argument('<ref>', 'namespace/name@version')
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(withdraw));
}

async function withdraw(context: Context, _flags: SharedFlags, reference: string): Promise<void> {
  const release = parseReleaseName(reference);
  const api = await openApiWithToken(context);
  const status = await api.withdraw(release, { signal: context.signal });
  context.output.result(status, [`${status.reference} is ${status.state}`]);
}
