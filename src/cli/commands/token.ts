/**
 * `token create`, `token revoke ID`: access to the registry, on the operator's machine.
 * `token exchange` is for CI jobs, and has a file of its own.
 */
import { type Command, Option } from 'commander';
import { CodedError } from '../../core/error.ts';
import { formatCanonical } from '../../core/json.ts';
import { parseNamespace } from '../../core/release/name.ts';
import type { TrustRoot } from '../../core/trust/succession.ts';
import { nodeHost } from '../../hashing/host.ts';
import { TOKEN_ROLES, type TokenRole } from '../../keyring/token.ts';
import { openStore } from '../../open-store.ts';
import { openTokenKey, readOrigin } from '../../operator/keys-directory.ts';
import { readStoredRoot } from '../../operator/stored-root.ts';
import { keys } from '../../store/keys.ts';
import { declare, declareGroup, passphraseFlag, type Run } from '../command.ts';
import type { Context, SharedFlags } from '../context.ts';
import { type PassphraseFlags, serverPassphrase } from '../passphrase.ts';
import { formatFields } from '../table.ts';
import { grantToken } from '../token.ts';
import { parseDuration } from '../units.ts';
import { exchangeCommand } from './token-exchange.ts';

export function makeCommand(run: Run): Command {
  return declareGroup('token', 'token revoke 0f3c…9a --store ./store')
    .addCommand(
      declare(
        'create',
        'token create --store ./store --keys ./keys --subject ci --role publisher --namespace acme',
      )
        .description('create a token')
        .requiredOption('--store <store>', 'the registry’s store')
        .requiredOption('--keys <dir>', 'the server’s keys')
        .requiredOption('--subject <name>', 'who it is for; shown in logs')
        .addOption(
          new Option('--role <role...>', 'what it allows; may be repeated')
            .choices(TOKEN_ROLES)
            .makeOptionMandatory(),
        )
        .option('--namespace <ns>', 'for one namespace; without it, for all of them')
        .option('--ttl <duration>', 'how long it is good', '1h')
        .addOption(passphraseFlag())
        .action(run(createToken)),
    )
    .addCommand(
      declare('revoke', 'token revoke 0f3c…9a --store ./store')
        .description('revoke a token; every server refuses it within a minute')
        .argument('<id>', 'the token’s id, as "token create" printed it')
        .requiredOption('--store <store>', 'the registry’s store')
        .option('--keys <dir>', 'the server’s keys; not needed')
        .action(run(revokeToken)),
    )
    .addCommand(exchangeCommand(run));
}

interface CreateFlags extends PassphraseFlags {
  readonly store: string;
  readonly keys: string;
  readonly subject: string;
  readonly role: readonly TokenRole[];
  readonly namespace?: string;
  readonly ttl: string;
}

/** Characters that the token's `sub` may have (`keyring/token.ts`). */
const SUBJECT = /^[\x21-\x7e]{1,128}$/;

async function createToken(context: Context, flags: CreateFlags): Promise<void> {
  const { subject, role: roles, ttl } = flags;
  if (!SUBJECT.test(subject)) {
    throw new CodedError('usage', '--subject takes 1 to 128 visible ASCII characters, no spaces');
  }
  const seconds = parseDuration(ttl, '--ttl');
  const namespace = flags.namespace === undefined ? undefined : parseNamespace(flags.namespace);
  const passphrase = await serverPassphrase(context, flags, flags.keys);
  const root = await readRootOf(flags);
  const key = await openTokenKey(flags.keys, passphrase, root);
  const grant = { subject, roles: [...new Set(roles)], namespace };
  const granted = await grantToken(key, grant, seconds, context.clock());
  const { token, id, expires } = granted;
  const fields = [
    ['id', id],
    ['expires', expires],
  ] as const;
  for (const line of formatFields(fields)) context.output.say(line);
  context.output.result(granted, [token]);
}

/** Which token key signs is for the root to say; another registry's servers would refuse it. */
async function readRootOf({ store: address, keys: directory }: CreateFlags): Promise<TrustRoot> {
  const origin = await readOrigin(directory);
  const store = await openStore(address);
  try {
    const { root } = await readStoredRoot(nodeHost, store);
    if (root.origin === origin) return root;
    throw new CodedError(
      'untrusted',
      `${address} holds the registry ${root.origin}, but ${directory} has the keys of ${origin}`,
    );
  } finally {
    await store.close();
  }
}

async function revokeToken(
  { output, clock }: Context,
  { store: address }: SharedFlags & { readonly store: string },
  id: string,
): Promise<void> {
  if (!/^[0-9a-f]{32}$/.test(id)) {
    throw new CodedError('usage', 'a token’s id has 32 hex digits; "token create" printed it');
  }
  const store = await openStore(address);
  try {
    const revoked = new Date(clock()).toISOString();
    await store.create(keys.revoked(id), formatCanonical({ v: 1, revoked }));
  } finally {
    await store.close();
  }
  output.result({ id, revoked: true }, [`revoked ${id}; servers refuse it within a minute`]);
}
