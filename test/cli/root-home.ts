/** A registry of one namespace in a home of its own, and the keys that may change its root. */
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach } from '@jest/globals';
import { parseNamespace } from '../../src/core/release/name.ts';
import { readKeyFile } from '../../src/keyring/file.ts';
import { statementSigner } from '../../src/keyring/keys.ts';
import { type OpenRegistry, openRegistryAt } from '../../src/open-registry.ts';
import { openStore } from '../../src/open-store.ts';
import { signPolicy, soloFor } from '../../src/operator/namespace.ts';
import { OPERATOR } from '../made/live-registry.ts';
import { type Home, makeHome } from './command-line.ts';

export const ORIGIN = 'models.example';
export let home: Home;
let live: OpenRegistry | undefined;

/** Makes the registry before each test of the file, and removes it after. */
export function useRegistry(): void {
  beforeEach(async () => {
    home = await makeHome();
    await home.json(
      ...['init', ...place(), '--origin', ORIGIN, '--no-passphrase'],
      ...['--root-key', home.path('root.key'), '--namespace', 'acme'],
      ...['--owner-key', home.path('owner.key')],
    );
  });
  afterEach(async () => {
    await live?.close();
    live = undefined;
    await home.remove();
  });
}

export const place = () => ['--store', home.path('store'), '--keys', home.path('keys')];
export const rotate = (...flags: string[]) => ['root', 'rotate', ...place(), ...flags];
export const byRoot = () => ['--root-key', home.path('root.key')];
export const byBoth = () => [...byRoot(), '--root-key', home.path('bob.key')];
export const show = () => home.json('root', 'show', '--store', home.path('store'));

/** A key of somebody else, and its public half. */
export async function makeHolder(name: string): Promise<string> {
  const { pem } = await home.json('key', 'new', home.path(`${name}.key`), '--no-passphrase');
  await writeFile(home.path(`${name}.pem`), pem as string);
  return home.path(`${name}.pem`);
}

/** From now on two of three must sign: the first root key, bob's and carol's. */
export async function makeTwoOfThree(): Promise<void> {
  const pems = [await makeHolder('bob'), await makeHolder('carol')];
  await home.json('root', 'add-key', ...place(), ...byBoth(), ...pems, '--threshold', '2');
}

export async function openServer(keys = 'keys'): Promise<OpenRegistry> {
  live = await openRegistryAt(await openStore(home.path('store')), home.path(keys), undefined);
  return live;
}

export async function createNamespace({ registry }: OpenRegistry, name: string): Promise<number> {
  const owner = statementSigner(await readKeyFile(home.path('owner.key'), undefined), 'owner');
  const namespace = parseNamespace(name);
  const signed = await signPolicy(owner, await soloFor(ORIGIN, namespace, owner, 'owner'));
  return (await registry.createNamespace(OPERATOR, { ...signed, override: false })).index;
}
