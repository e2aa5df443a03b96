/** The person's own key, for what only a person may say. */
import { CodedError } from '../core/error.ts';
import { readKeyFile } from '../keyring/file.ts';
import { type StatementSigner, statementSigner } from '../keyring/keys.ts';
import type { Context } from './context.ts';
import { openingPassphrase, type PassphraseFlags } from './passphrase.ts';

/** Opens the key in `file`. Throws `not-found`, `bad-key`, `not-authorised`. */
export async function readSigner(
  context: Context,
  flags: PassphraseFlags,
  file: string,
): Promise<StatementSigner> {
  const passphrase = await openingPassphrase(context, flags, file);
  return statementSigner(await readKeyFile(file, passphrase), file);
}

/** Opens the key that `--key` names. Throws `usage` without one. */
export function openSigner(context: Context, flags: PassphraseFlags): Promise<StatementSigner> {
  const { key } = context.config;
  if (key === undefined) {
    throw new CodedError(
      'usage',
      'this is signed by a person: name their key file with --key or WEIGHHOUSE_KEY',
    );
  }
  return readSigner(context, flags, key);
}
