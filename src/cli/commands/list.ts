/** `list [NS]`: published releases, newest first. */
import type { Command } from 'commander';
import { parseNamespace } from '../../core/release/name.ts';
import { declare, type Run, urlFlag } from '../command.ts';
import type { Context } from '../context.ts';
import { answerReleases, beforeFlag, limitFlag, type PageFlags } from '../release-list.ts';

export function makeCommand(run: Run): Command {
  return declare('list', 'list acme')
    .argument('[ns]', 'one namespace; without it, all')
    .addOption(limitFlag())
    .addOption(beforeFlag())
    .addOption(urlFlag())
    .action(run(list));
}

async function list(context: Context, flags: PageFlags, text?: string): Promise<void> {
  const namespace = text === undefined ? undefined : parseNamespace(text);
  await answerReleases(context, flags, { namespace }, 'nothing is published yet');
}
