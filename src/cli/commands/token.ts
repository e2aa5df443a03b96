/**
 * `token create`, `token revoke ID`: access to the registry, on the operator's machine.
 * `token exchange` is for CI jobs, and has a file of its own.
 */
import { type Command, Option } from 'commander';
import { CodedError } from '../../core/error.ts';
import { formatCanonical } from '../../core/json.ts';
import { parseNamespace } from '../../core/release/name.ts';
import { parseRoot } from '../../core/trust/root.ts';
import { nodeHost } from '../../hashing/host.ts';
import { TOKEN_ROLES, type TokenRole } from '../../keyring/token.ts';
import { openStore } from '../../main.ts';
import { openTokenKey } from '../../operator/keys-directory.ts';
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
  const key = await openTokenKey(flags.keys, passphrase);
  await requireStoreOf(key.origin, flags);
  const grant = { subject, roles: [...new Set(roles)], namespace };
  const granted = await grantToken(key, grant, seconds, context.clock());
  const { token, id, expires } = granted;
  const about: [string, string][] = [
    ['id', id],
    ['expires', expires],
  ];
  for (const line of formatFields(about)) context.output.say(line);
  context.output.result(granted, [token]);
}

/** A token of another registry's key would be refused by every server of this one. */
async function requireStoreOf(origin: string, { store: address, keys: directory }: CreateFlags) {
  const store = await openStore(address);
  try {
    const root = await store.get(keys.root(1));
    const found = root === undefined ? undefined : parseRoot(nodeHost, root.bytes).document.origin;
    if (found === origin) return;
    const what = found === undefined ? 'no registry' : `the registry ${found}`;
    throw new CodedError(
      'untrusted',
      `${address} holds ${what}, but ${directory} has the keys of ${origin}`,
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
