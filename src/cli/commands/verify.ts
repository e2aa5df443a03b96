/**
 * `verify DIR`: is what lies in a directory the release that was pulled into it? Offline;
 * with `--online` also whether the registry has an advisory about it, and is alive.
 */
import type { Command } from 'commander';
import { declare, type Run, urlFlag } from '../command.ts';
import type { Context } from '../context.ts';
import { withPool } from '../pool.ts';
import type { VerifyFlags } from '../verify-pulled.ts';

export function makeCommand(run: Run): Command {
  return declare('verify', 'verify ./kimi-k2')
    .argument('<dir>', 'a directory that was pulled into')
    .option('--full', 'also recompute the SHA-256 of whole files')
    .option('--online', 'also ask the registry for advisories and freshness')
    .option('--accept-recalled', 'with --online: accept it although it was recalled')
    .addOption(urlFlag())
    .action(run(verify));
}

async function verify(context: Context, flags: VerifyFlags, directory: string): Promise<void> {
  await withPool(async (pool) => {
    // Threads take as long to start as the rest of the program to load: both at once.
    pool.warm();
    const { verifyPulled } = await import('../verify-pulled.ts');
    await verifyPulled(pool, context, flags, directory);
  });
}
