/**
 * `announce REF --date …`: tells everybody, in the log, when a release is due; or that it is
 * postponed. It stops nothing, and does not name what is sealed.
 */
import type { Command } from 'commander';
import { CodedError } from '../../core/error.ts';
import { formatReleaseName, parseReleaseName } from '../../core/release/name.ts';
import { sendAnnouncement } from '../announcing.ts';
import { declare, keyFlag, passphraseFlag, type Run, tokenFlag, urlFlag } from '../command.ts';
import type { Context } from '../context.ts';
import { RELEASE_ARGUMENT } from '../deciding.ts';
import type { PassphraseFlags } from '../passphrase.ts';
import { parseInstant } from '../units.ts';

export function makeCommand(run: Run): Command {
  return declare('announce', 'announce acme/kimi-k2@v1.0 --date 2026-12-01 --key max.key')
    .argument(...RELEASE_ARGUMENT)
    .option('--date <date>', 'a date or time in UTC')
    .option('--postponed', 'it is postponed: to the date, or without one until further notice')
    .option('--reason <text>', 'why, for everybody to read')
    .addOption(keyFlag())
    .addOption(passphraseFlag())
    .addOption(urlFlag())
    .addOption(tokenFlag())
    .action(run(announce));
}

interface AnnounceFlags extends PassphraseFlags {
  readonly date?: string;
  readonly postponed?: boolean;
  readonly reason?: string;
}

async function announce(context: Context, flags: AnnounceFlags, reference: string): Promise<void> {
  const release = parseReleaseName(reference);
  const date = flags.date === undefined ? null : parseInstant(flags.date, '--date');
  if (date === null && flags.postponed !== true) {
    throw new CodedError('usage', 'say for when: --date 2026-12-01, or --postponed without one');
  }
  const announcement = flags.postponed === true ? 'postponed' : 'announced';
  const { reason } = flags;
  const said = { release, announcement, date, reason } as const;
  const index = await sendAnnouncement(context, flags, said);
  const name = formatReleaseName(release);
  const when = date === null ? 'until further notice' : `${flags.postponed ? 'to' : 'for'} ${date}`;
  context.output.result({ reference: name, announcement, date, index }, [
    `${name}: ${announcement} ${when}, entry ${index} of the log`,
  ]);
}
