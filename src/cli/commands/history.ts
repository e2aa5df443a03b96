/** `history NS/NAME`: every entry of the log that concerns a model, oldest first. */
import type { Command } from 'commander';
import { parseModel } from '../../core/release/name.ts';
import { declare, type Run, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { openApi } from '../reach.ts';
import { formatTable } from '../table.ts';

export function makeCommand(run: Run): Command {
  return declare('history', 'history acme/kimi-k2')
    .argument('<model>', 'namespace/name')
    .addOption(urlFlag())
    .action(run(showHistory));
}

async function showHistory(context: Context, _flags: SharedFlags, text: string): Promise<void> {
  const model = parseModel(text);
  const api = await openApi(context);
  const { events } = await api.history(model, { signal: context.signal });
  const rows = events.map(({ index, time, kind, text: what }) => [
    String(index),
    time,
    kind,
    typeof what === 'string' ? what : '',
  ]);
  const lines = formatTable(['INDEX', 'TIME', 'KIND', 'WHAT'], rows, ['right']);
  context.output.result({ events }, events.length === 0 ? ['the log says nothing of it'] : lines);
}
