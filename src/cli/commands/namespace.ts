/**
 * `namespace create NS`: begins a namespace with its first policy, signed by its owner. Its
 * trusted publishers are in `namespace-publishers.ts`.
 */
import type { Command } from 'commander';
import { pinOf } from '../../client/trust.ts';
import { type Namespace, parseNamespace } from '../../core/release/name.ts';
import type { Policy } from '../../core/release/policy.ts';
import type { StatementSigner } from '../../keyring/keys.ts';
import { signPolicy, soloFor } from '../../operator/namespace.ts';
import {
  declare,
  declareGroup,
  keyFlag,
  passphraseFlag,
  type Run,
  tokenFlag,
  urlFlag,
} from '../command.ts';
import type { Context } from '../context.ts';
import type { PassphraseFlags } from '../passphrase.ts';
import { openPins } from '../pins.ts';
import { readPolicyFile } from '../policy-file.ts';
import { openApiWithToken } from '../reach.ts';
import { openSigner } from '../signer.ts';
import { publisherCommands } from './namespace-publishers.ts';

/** How the one owner is called in a policy that is made here. */
const SOLE_OWNER = 'owner';

export function makeCommand(run: Run): Command {
  const group = declareGroup('namespace', 'namespace create acme --policy acme.json').addCommand(
    declare('create', 'namespace create acme --policy acme.json --key owner.key')
      .description('begin a namespace; takes a token of the operator and an owner’s key')
      .argument('<ns>', 'the namespace')
      .option('--policy <file>', 'its first policy; without it, one with --key as sole owner')
      .option('--override', 'begin it although another namespace looks much the same')
      .addOption(keyFlag())
      .addOption(passphraseFlag())
      .addOption(urlFlag())
      .addOption(tokenFlag())
      .action(run(createNamespace)),
  );
  for (const command of publisherCommands(run)) group.addCommand(command);
  return group;
}

interface CreateFlags extends PassphraseFlags {
  readonly policy?: string;
  readonly override?: boolean;
}

async function createNamespace(context: Context, flags: CreateFlags, text: string): Promise<void> {
  const namespace = parseNamespace(text);
  const api = await openApiWithToken(context);
  // A policy names its registry, and what signs it must not be told which by a stranger.
  const { origin } = await pinOf(api, openPins(context), context.signal);
  const signer = await openSigner(context, flags);
  const policy = await firstPolicy(flags.policy, origin, namespace, signer);
  const request = {
    ...(await signPolicy(signer, policy)),
    ...(flags.override === true ? { override: true } : {}),
  };
  const made = await api.createNamespace(request, { signal: context.signal });
  context.output.result({ namespace, index: made.index }, [
    `${namespace} begins with entry ${made.index} of the log`,
  ]);
}

async function firstPolicy(
  file: string | undefined,
  origin: string,
  namespace: Namespace,
  signer: StatementSigner,
): Promise<Policy> {
  if (file === undefined) return soloFor(origin, namespace, signer, SOLE_OWNER);
  return readPolicyFile(file, origin, namespace);
}
