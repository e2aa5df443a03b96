/**
 * `decide`: the three things about decisions that are not deciding. A key that no network
 * reaches signs a file with `--sign-offline`; `--submit` has it recorded; `--resume` goes on
 * with what was signed and, for a crash or a lost answer, is not recorded.
 */
import type { Command } from 'commander';
import { CodedError } from '../../core/error.ts';
import { declare, keyFlag, passphraseFlag, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context } from '../context.ts';
import { type OfflineFlags, signOffline, submitSigned } from '../decide-offline.ts';
import { resumeAll } from '../decide-resume.ts';

export function makeCommand(run: Run): Command {
  return declare('decide', 'decide --resume')
    .option(
      '--sign-offline <file>',
      'sign the decision in a file that --unsigned wrote; no network',
    )
    .option('--submit <file>', 'have the decision recorded that was signed in a file')
    .option('--resume', 'go on with decisions that are signed and not recorded')
    .option('--digest <digest>', 'digest that is decided about; needed when nobody can be asked')
    .addOption(keyFlag())
    .addOption(passphraseFlag())
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(decideWith));
}

interface DecideWithFlags extends OfflineFlags {
  readonly signOffline?: string;
  readonly submit?: string;
  readonly resume?: boolean;
}

async function decideWith(context: Context, flags: DecideWithFlags): Promise<number | undefined> {
  const { signOffline: toSign, submit, resume } = flags;
  const asked = [toSign, submit, resume].filter((each) => each !== undefined).length;
  if (asked === 1 && toSign !== undefined) return signOffline(context, flags, toSign);
  if (asked === 1 && submit !== undefined) return submitSigned(context, submit);
  if (asked === 1) return resumeAll(context);
  throw new CodedError(
    'usage',
    'say one of --sign-offline FILE, --submit FILE and --resume; to decide, use evaluate, approve, object, hold, postpone, lift or withdraw',
  );
}
