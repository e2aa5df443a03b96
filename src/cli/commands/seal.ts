/**
 * `seal REF`: seals what `push --no-seal` uploaded. The registry reads every byte back, and
 * the manifest that it seals is compared with the directory, which is hashed again for that.
 */
import type { Command } from 'commander';
import { CodedError } from '../../core/error.ts';
import { formatReleaseName, parseReleaseName } from '../../core/release/name.ts';
import { declare, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { forgetUnsealed, recallUnsealed } from '../unsealed.ts';
import { answerSealed, runPush } from './push.ts';

export function makeCommand(run: Run): Command {
  return declare('seal', 'seal acme/kimi-k2@v1.0')
    .argument('<ref>', 'namespace/name@version')
    .argument('[dir]', 'the directory that was pushed; needed on another machine only')
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(seal));
}

async function seal(
  context: Context,
  _flags: SharedFlags,
  reference: string,
  directory?: string,
): Promise<void> {
  const release = parseReleaseName(reference);
  const pushed = directory === undefined ? await recallUnsealed(context, release) : { directory };
  if (pushed === undefined) {
    const name = formatReleaseName(release);
    throw new CodedError(
      'usage',
      `${name} was not pushed with --no-seal from this machine; name its directory: weighhouse seal ${name} DIR`,
    );
  }
  const result = await runPush(context, release, pushed);
  await forgetUnsealed(context, release);
  answerSealed(context, result);
}
