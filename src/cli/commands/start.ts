/**
 * `start`: a server to try things out with, as `npm start` runs it. Everything lies in one
 * folder, made on first use, with key files that nobody encrypted:
 *
 *     data/store     the registry
 *     data/keys      the server's keys
 *     data/offline   the root's and the owner's private keys, which a server never needs
 *     data/index     what search reads, made again when it is lost, and the last seen checkpoint
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { parseNamespace } from '../../core/release/name.ts';
import { nodeHost } from '../../hashing/host.ts';
import { openStore } from '../../open-store.ts';
import { openTokenKey } from '../../operator/keys-directory.ts';
import { readStoredRoot } from '../../operator/stored-root.ts';
import { noProxies } from '../../server/trusted-proxies.ts';
import type { Store } from '../../store/contract.ts';
import { parseAddress } from '../address.ts';
import { declare, passphraseFlag, type Run } from '../command.ts';
import type { Context } from '../context.ts';
import { type PassphraseFlags, serverPassphrase } from '../passphrase.ts';
import { grantToken, OWNER_ROLES } from '../token.ts';
import { makeRegistry } from './init.ts';
import { serveUntilStopped } from './serve.ts';

/** What the registry and its one namespace are called. */
const ORIGIN = 'localhost';
const NAMESPACE = 'demo';
/** Seconds that the token which each start prints is good for. */
const TOKEN_SECONDS = 24 * 3600;

export function makeCommand(run: Run): Command {
  return declare('start', 'start')
    .option('--data <dir>', 'where everything is kept', './data')
    .option('--listen <host:port>', 'where to listen', '127.0.0.1:8080')
    .addOption(passphraseFlag())
    .action(run(start));
}

interface StartFlags extends PassphraseFlags {
  readonly data: string;
  readonly listen: string;
}

async function start(context: Context, flags: StartFlags): Promise<void> {
  const address = parseAddress(flags.listen);
  const place = (name: string) => join(flags.data, name);
  if (!existsSync(join(place('keys'), 'registry.json'))) await makeFirst(context, place);
  const passphrase = await serverPassphrase(context, flags, place('keys'));
  const store = await openStore(place('store'));
  await sayToken(context, store, place('keys'), passphrase);
  await serveUntilStopped(context, {
    store,
    keysDirectory: place('keys'),
    passphrase,
    address,
    publicUrl: undefined,
    indexDirectory: place('index'),
    logLevel: context.config.logLevel,
    witnessPolicy: undefined,
    oidcIssuers: undefined,
    oidcAllowLoopback: false,
    trustedProxies: noProxies,
    drainDelay: 0,
  });
}

async function makeFirst(context: Context, place: (name: string) => string): Promise<void> {
  const request = {
    store: place('store'),
    keys: place('keys'),
    origin: ORIGIN,
    namespace: NAMESPACE,
    rootKey: join(place('offline'), 'root.key'),
    ownerKey: join(place('offline'), 'owner.key'),
  };
  const { fingerprint } = await makeRegistry(context, request, undefined);
  context.output.say(`made a registry in ${place('')}, with the namespace ${NAMESPACE}`);
  context.output.say(`its fingerprint is ${fingerprint}`);
  context.output.warn('its key files are not encrypted: this is for trying things out');
}

/** A fresh token at every start: whoever can read the keys could make one anyway. */
async function sayToken(
  { output, clock }: Context,
  store: Store,
  keysDirectory: string,
  passphrase: string | undefined,
): Promise<void> {
  const { root } = await readStoredRoot(nodeHost, store);
  const key = await openTokenKey(keysDirectory, passphrase, root);
  const namespace = key.origin === ORIGIN ? parseNamespace(NAMESPACE) : undefined;
  const grant = { subject: 'start', roles: OWNER_ROLES, namespace };
  const { token, expires } = await grantToken(key, grant, TOKEN_SECONDS, clock());
  output.say(`for pushing, until ${expires}:`);
  output.say(`  export WEIGHHOUSE_TOKEN=${token}`);
}
