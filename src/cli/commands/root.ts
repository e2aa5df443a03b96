/**
 * `root show`, and how a registry gets the next version of its trust root, on the operator's
 * machine. Whoever has all the root keys at hand says it in one command, `root rotate` or
 * `root add-key`; keys that lie with several people sign one after another, or apart:
 *
 *     root propose … --out next.json      the operator: makes the new keys, says what changes
 *     root sign next.json --root-key K    each holder, on a machine of their own, offline
 *     root publish next.json …            the operator: logs it
 *
 * The stories are in `cli/root-rotate.ts` and `cli/root-ceremony.ts`.
 */
import type { Command } from 'commander';
import { collect, declare, declareGroup, passphraseFlag, type Run, urlFlag } from '../command.ts';
import { proposeRoot, publishProposal, signProposal } from '../root-ceremony.ts';
import { addRootKeys, rotateRoot } from '../root-rotate.ts';
import { showRoot } from '../root-show.ts';

/** For the examples. */
const PLACE = '--store ./store --keys ./keys';
const SIGNER = '--root-key ./offline/root.key';

export function makeCommand(run: Run): Command {
  return declareGroup('root', 'root show --store ./store')
    .addCommand(
      declare('show', 'root show --store ./store')
        .description('show a trust root, or what a proposal changes')
        .argument('[file]', 'a root.json or a proposal; without it, the registry’s newest root')
        .option('--store <store>', 'that of the registry in this store, not of the pinned one')
        .addOption(urlFlag())
        .action(run(showRoot)),
    )
    .addCommand(
      withSigners(
        withRotations(
          withPlace(declare('rotate', `root rotate --new-release-key ${PLACE} ${SIGNER}`)),
        ),
      )
        .description('a new version of the root: it lasts longer, and names new keys')
        .action(run(rotateRoot)),
    )
    .addCommand(
      withSigners(
        withRootKeys(withPlace(declare('add-key', `root add-key bob.pem ${PLACE} ${SIGNER}`))),
      )
        .description('add and remove root keys, and say how many of them must sign')
        .argument('[pem...]', 'public keys, as "key show" prints them')
        .action(run(addRootKeys)),
    )
    .addCommand(
      withRotations(
        withPlace(declare('propose', `root propose --new-log-key ${PLACE} --out next.json`)),
      )
        .option('--add-key <pem>', 'a new root key, as "key show" prints it', collect)
        .description('write a new root that the holders of root keys are to sign')
        .requiredOption('--out <file>', 'where the proposal goes')
        .action(run(proposeRoot)),
    )
    .addCommand(
      declare('sign', `root sign next.json ${SIGNER}`)
        .description('sign a proposal with a root key; takes no network')
        .argument('<file>', 'the proposal, to which the signature is added')
        .requiredOption('--root-key <file>', 'a root’s private key')
        .addOption(passphraseFlag())
        .action(run(signProposal)),
    )
    .addCommand(
      withPlace(declare('publish', `root publish next.json ${PLACE}`))
        .description('log a root that enough keys have signed')
        .argument('<file...>', 'the proposal; several, when it was signed in copies')
        .action(run(publishProposal)),
    );
}

function withPlace(command: Command): Command {
  return command
    .requiredOption('--store <store>', 'the registry’s store')
    .requiredOption('--keys <dir>', 'the server’s keys; new ones are put beside them')
    .addOption(passphraseFlag());
}

function withSigners(command: Command): Command {
  return command
    .option('--root-key <file>', 'a root’s private key; may be repeated', collect)
    .option('--root-passphrase-file <file>', 'passphrase of root keys, where it is another');
}

function withRotations(command: Command): Command {
  return withRootKeys(command)
    .option('--new-release-key', 'a new key for releases')
    .option('--at <index>', 'the entry at which the new release key begins (default: the next)')
    .option('--compromised-from <index>', 'from this entry on, believe no release by the old key')
    .option('--new-token-key', 'a new key for tokens; tokens of the old ones stay good')
    .option('--drop-token-keys', 'only the newest token key stays: tokens of all others end now')
    .option('--new-log-key', 'a new key for the log')
    .option('--max-age <duration>', 'how long the log may be silent')
    .option('--witness-policy <file>', 'C2SP tlog-policy without logs, or "none"');
}

function withRootKeys(command: Command): Command {
  return command
    .option('--remove-key <id|pem>', 'a root key that is one no more; may be repeated', collect)
    .option('--threshold <n>', 'how many root keys must sign the version after')
    .option('--expires <duration>', 'how long the new version is good', '365d');
}
