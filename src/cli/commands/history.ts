/** `history NS/NAME`: every entry of the log that concerns a model, oldest first. */
import type { Command } from 'commander';
import { parseModel } from '../../core/release/name.ts';
import { declare, type Run, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import type { Tone } from '../paint.ts';
import { openApi } from '../reach.ts';
import { paintTable } from '../table.ts';

/** What a reader looks for first: what was released, and what was said of it since. */
const TONES: Readonly<Record<string, Tone>> = {
  release: 'good',
  advisory: 'bad',
  announcement: 'warn',
  namespace: 'faint',
  policy: 'faint',
};

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
    secondOf(time),
    kind,
    typeof what === 'string' ? what : '',
  ]);
  const headings = ['INDEX', 'TIME (UTC)', 'KIND', 'WHAT'];
  const lines = paintTable(headings, rows, ['right'], ([, , kind]) => TONES[kind ?? '']);
  context.output.result({ events }, events.length === 0 ? ['the log says nothing of it'] : lines);
}

/** `2026-02-01 12:00:00`. */
function secondOf(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 19)}`;
}
