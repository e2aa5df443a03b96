/** `search TEXT`: published releases by words in names, versions, file names and formats. */
import type { Command } from 'commander';
import { declare, type Run, urlFlag } from '../command.ts';
import type { Context } from '../context.ts';
import { answerReleases, beforeFlag, limitFlag, type PageFlags } from '../release-list.ts';

export function makeCommand(run: Run): Command {
  return declare('search', 'search kimi safetensors')
    .argument('<text...>', 'words that must all be there')
    .addOption(limitFlag())
    .addOption(beforeFlag())
    .addOption(urlFlag())
    .action(run(search));
}

async function search(context: Context, flags: PageFlags, words: readonly string[]): Promise<void> {
  const query = words.join(' ');
  await answerReleases(context, flags, { query }, `nothing published fits "${query}"`);
}
