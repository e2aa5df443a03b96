/** `init`: a new registry, and with `--namespace` its first namespace and a token for it. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Command } from 'commander';
import { isCoded } from '../../core/error.ts';
import { parseOrigin } from '../../core/log/checkpoint.ts';
import { type Namespace, parseNamespace } from '../../core/release/name.ts';
import { nodeHost } from '../../hashing/host.ts';
import type { StatementSigner } from '../../keyring/keys.ts';
import { openRegistryAt } from '../../open-registry.ts';
import { openStore } from '../../open-store.ts';
import {
  initRegistry,
  type KeyPlaces,
  type NewRegistry,
  refuseTaken,
} from '../../operator/init.ts';
import { openTokenKey } from '../../operator/keys-directory.ts';
import { signPolicy, soloFor } from '../../operator/namespace.ts';
import type { Store } from '../../store/contract.ts';
import { declare, passphraseFlag, type Run } from '../command.ts';
import { type Context, places } from '../context.ts';
import { type NewPassphraseFlags, newPassphrase } from '../passphrase.ts';
import { formatFields } from '../table.ts';
import { type GrantedToken, grantToken, OWNER_ROLES } from '../token.ts';

/** How the first owner is called in the public policy, until a policy says otherwise. */
const FIRST_OWNER = 'owner';
/** Seconds that the first token is good for: a day, to try things out. */
const FIRST_TOKEN_SECONDS = 24 * 3600;

export function makeCommand(run: Run): Command {
  return declare(
    'init',
    'init --store ./store --keys ./keys --origin models.example.org --namespace acme',
  )
    .requiredOption('--store <store>', 'where the registry lives: a directory')
    .requiredOption('--keys <dir>', 'where the server’s keys go')
    .requiredOption('--origin <host>', 'host name that the registry is known by, for ever')
    .option('--namespace <ns>', 'also make a first namespace with one owner')
    .option('--root-key <file>', 'where the root’s private key goes: keep it offline')
    .option('--owner-key <file>', 'where the first owner’s private key goes')
    .addOption(passphraseFlag())
    .option('--no-passphrase', 'leave the key files unencrypted')
    .action(run(init));
}

interface InitFlags extends NewPassphraseFlags {
  readonly store: string;
  readonly keys: string;
  readonly origin: string;
  readonly namespace?: string;
  readonly rootKey?: string;
  readonly ownerKey?: string;
}

async function init(context: Context, flags: InitFlags): Promise<void> {
  const passphrase = await newPassphrase(context, flags);
  const made = await makeRegistry(context, flags, passphrase);
  const { origin, vkey, fingerprint, rootKey, ownerKey, namespace, token } = made;
  const document = {
    origin,
    vkey,
    fingerprint,
    rootKey,
    ...(token === undefined ? {} : { namespace, ownerKey, token: token.token }),
  };
  const fields = [
    ['origin', origin],
    ['fingerprint', fingerprint],
    ['log key', vkey],
    ['root key', `${rootKey}   (keep it offline)`],
    ...(token === undefined
      ? []
      : [
          ['owner key', ownerKey],
          ['token', token.token],
        ]),
  ] as [string, string][];
  context.output.result(document, formatFields(fields));
  const { store, keys } = flags;
  context.output.say(
    `next: weighhouse serve --store ${store} --keys ${keys} --listen 127.0.0.1:8080`,
  );
  context.output.say(
    `then, wherever it is used: weighhouse trust add URL --fingerprint ${fingerprint}`,
  );
}

/** What it takes to make a registry, from a person or from `start`. */
export interface RegistryRequest {
  readonly store: string;
  readonly keys: string;
  readonly origin: string;
  readonly namespace?: string;
  readonly rootKey?: string;
  readonly ownerKey?: string;
}

export interface MadeRegistry extends Omit<NewRegistry, 'owner'> {
  readonly rootKey: string;
  readonly ownerKey: string;
  readonly namespace: Namespace | undefined;
  readonly token: GrantedToken | undefined;
}

/** The store; where there is none yet, it is made once it is sure that the keys have a place. */
async function openOrMake(address: string, places: KeyPlaces): Promise<Store> {
  try {
    return await openStore(address);
  } catch (error) {
    if (!isCoded(error, 'not-found')) throw error;
    await refuseTaken(places);
    return openStore(address, { create: true });
  }
}

/** Makes the registry, and its first namespace when one is wanted. */
export async function makeRegistry(
  context: Context,
  request: RegistryRequest,
  passphrase: string | undefined,
): Promise<MadeRegistry> {
  const origin = parseOrigin(request.origin);
  const namespace = request.namespace === undefined ? undefined : parseNamespace(request.namespace);
  const folder = places.keys(context.config, origin);
  const rootKey = request.rootKey ?? join(folder, 'root.key');
  const ownerKey = request.ownerKey ?? join(folder, `${namespace}-owner.key`);
  const keyPlaces = {
    keysDirectory: request.keys,
    rootKeyFile: rootKey,
    ownerKeyFile: namespace === undefined ? undefined : ownerKey,
  };
  const store = await openOrMake(request.store, keyPlaces);
  try {
    const { owner, ...made } = await initRegistry(store, {
      host: nodeHost,
      origin,
      ...keyPlaces,
      passphrase,
      now: context.clock(),
      random: new Uint8Array(randomBytes(32)),
    });
    if (namespace === undefined || owner === undefined) {
      return { ...made, rootKey, ownerKey, namespace, token: undefined };
    }
    await beginNamespace(store, request.keys, passphrase, { origin, namespace, owner });
    const grant = { subject: FIRST_OWNER, roles: OWNER_ROLES, namespace };
    const tokenKey = await openTokenKey(request.keys, passphrase);
    const token = await grantToken(tokenKey, grant, FIRST_TOKEN_SECONDS, context.clock());
    return { ...made, rootKey, ownerKey, namespace, token };
  } finally {
    await store.close();
  }
}

/** Logs the first namespace, as the operator, without a server. */
async function beginNamespace(
  store: Store,
  keysDirectory: string,
  passphrase: string | undefined,
  first: { origin: string; namespace: Namespace; owner: StatementSigner },
): Promise<void> {
  const { origin, namespace, owner } = first;
  const opened = await openRegistryAt(store, keysDirectory, passphrase);
  try {
    const operator = { subject: 'init', roles: ['operator'], namespace: undefined } as const;
    const policy = await signPolicy(owner, await soloFor(origin, namespace, owner, FIRST_OWNER));
    await opened.registry.createNamespace(operator, { ...policy, override: false });
  } finally {
    await opened.close();
  }
}
