/** `key new FILE`, `key show FILE`: a personal ECDSA P-256 key, and its public half. */
import type { Command } from 'commander';
import { formatPem, keyId } from '../../core/statement/public-key.ts';
import { nodeHost } from '../../hashing/host.ts';
import { writeKeyFile } from '../../keyring/file.ts';
import { newStatementKey, type StatementSigner, statementSigner } from '../../keyring/keys.ts';
import { declare, declareGroup, passphraseFlag, type Run } from '../command.ts';
import type { Context } from '../context.ts';
import { type NewPassphraseFlags, newPassphrase, type PassphraseFlags } from '../passphrase.ts';
import { readSigner } from '../signer.ts';

export function makeCommand(run: Run): Command {
  return declareGroup('key', 'key new ~/me.key')
    .addCommand(
      declare('new', 'key new ~/keys/me.key')
        .description('make a personal key')
        .argument('<file>', 'where the key goes; never overwritten')
        .addOption(passphraseFlag())
        .option('--no-passphrase', 'leave the key unencrypted')
        .action(run(makeKey)),
    )
    .addCommand(
      declare('show', 'key show ~/keys/me.key > me.pem')
        .description('show the public half of a key, as PEM')
        .argument('<file>', 'a personal key file')
        .addOption(passphraseFlag())
        .action(run(showKey)),
    );
}

async function makeKey(context: Context, flags: NewPassphraseFlags, file: string): Promise<void> {
  const jwk = newStatementKey();
  await writeKeyFile(file, jwk, await newPassphrase(context, flags));
  context.output.say(`wrote ${file}; keep it to yourself, and a copy of it somewhere safe`);
  answer(context, statementSigner(jwk, file), file);
}

async function showKey(context: Context, flags: PassphraseFlags, file: string): Promise<void> {
  answer(context, await readSigner(context, flags, file), file);
}

function answer({ output }: Context, { spki }: StatementSigner, file: string): void {
  const pem = formatPem(spki);
  output.result({ file, id: keyId(nodeHost, spki), pem }, pem.trimEnd().split('\n'));
}
