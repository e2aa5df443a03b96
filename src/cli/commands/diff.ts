/** `diff A B`: what differs between two releases, files or directories. */
import type { Command } from 'commander';
import { declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import { compareContents, type Difference, type Said } from '../compare.ts';
import { readContents } from '../contents.ts';
import type { Context, SharedFlags } from '../context.ts';
import { type Line, type Tone, toned } from '../paint.ts';
import { withPool } from '../pool.ts';
import { showing } from '../progress.ts';

export function makeCommand(run: Run): Command {
  return declare('diff', 'diff acme/kimi-k2@v1.0 ./kimi-k2')
    .argument('<a>', 'a path or a reference')
    .argument('<b>', 'a path or a reference')
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(diff));
}

async function diff(context: Context, _flags: SharedFlags, a: string, b: string): Promise<void> {
  const { output, world } = context;
  const difference = await withPool((pool) =>
    showing({ screen: world.stderr }, async (report) => {
      const before = await readContents(context, pool, a, report);
      return compareContents(before, await readContents(context, pool, b, report));
    }),
  );
  output.result(difference, describe(difference));
}

function describe({ added, removed, changed }: Difference): Line[] {
  if (added.length + removed.length + changed.length === 0) return ['no difference'];
  const line = (tone: Tone, sign: string) => (change: Said) => [
    toned(tone, `${sign} ${change.kind.padEnd(6)}  ${change.name}`),
    toned('faint', `  ${change.what}`),
  ];
  return [
    ...removed.map(line('bad', '-')),
    ...added.map(line('good', '+')),
    ...changed.map(line('warn', '~')),
    '',
    `${added.length} added, ${removed.length} removed, ${changed.length} changed`,
  ];
}
