/** `key new`, `key show`, `key enroll`: a personal ECDSA P-256 key, its public half, its entry in a policy. */
import type { Command } from 'commander';
import { parseOrigin } from '../../core/log/checkpoint.ts';
import { parseNamespace } from '../../core/release/name.ts';
import { parsePersonId } from '../../core/release/roles.ts';
import { formatPem, keyId } from '../../core/statement/public-key.ts';
import { nodeHost } from '../../hashing/host.ts';
import { writeKeyFile } from '../../keyring/file.ts';
import { newStatementKey, type StatementSigner, statementSigner } from '../../keyring/keys.ts';
import { enrol } from '../../operator/namespace.ts';
import { declare, declareGroup, passphraseFlag, type Run } from '../command.ts';
import type { Context } from '../context.ts';
import { type NewPassphraseFlags, newPassphrase, type PassphraseFlags } from '../passphrase.ts';
import { putIntoPolicy } from '../policy-template.ts';
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
    )
    .addCommand(
      declare(
        'enroll',
        'key enroll me.key --origin models.example.org --namespace acme --person ada',
      )
        .description('show what enrols a key, to paste among the keys of a person in a policy')
        .argument('<file>', 'a personal key file')
        .requiredOption('--origin <host>', 'the registry that the policy is for')
        .requiredOption('--namespace <ns>', 'the namespace that the policy is of')
        .requiredOption('--person <id>', 'the person’s id in the policy')
        .option(
          '--into <policy>',
          'put it into this policy file, too, in place of a template’s words',
        )
        .addOption(passphraseFlag())
        .action(run(enrolKey)),
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

interface EnrolFlags extends PassphraseFlags {
  readonly origin: string;
  readonly namespace: string;
  readonly person: string;
  readonly into?: string;
}

async function enrolKey(context: Context, flags: EnrolFlags, file: string): Promise<void> {
  const enrolment = {
    origin: parseOrigin(flags.origin),
    namespace: parseNamespace(flags.namespace),
    person: parsePersonId(flags.person),
  };
  const key = await enrol(await readSigner(context, flags, file), enrolment);
  if (flags.into !== undefined) {
    await putIntoPolicy(flags.into, enrolment, key);
    context.output.say(`${flags.into} has the key of ${enrolment.person} now`);
  }
  context.output.result(key, JSON.stringify(key, null, 2).split('\n'));
}

function answer({ output }: Context, { spki }: StatementSigner, file: string): void {
  const pem = formatPem(spki);
  output.result({ file, id: keyId(nodeHost, spki), pem }, pem.trimEnd().split('\n'));
}
