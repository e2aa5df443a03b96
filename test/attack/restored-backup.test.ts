/**
 * Whoever puts an older copy of the whole store in place (a careless restore, an attacker with
 * the bucket) makes the log forget releases. All of it fits together: the lock, the tiles and
 * the checkpoint are of one age.
 */
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseOrigin } from '../../src/core/log/checkpoint.ts';
import { parseNamespace } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { openRegistryAt } from '../../src/open-registry.ts';
import { openStore } from '../../src/open-store.ts';
import { initRegistry, type NewRegistry } from '../../src/operator/init.ts';
import { signPolicy, soloFor } from '../../src/operator/namespace.ts';
import { OPERATOR } from '../made/live-registry.ts';

let folder: string;
let made: NewRegistry;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-restored-'));
  const store = await openStore(at('store'), { create: true });
  made = await initRegistry(store, {
    host: nodeHost,
    origin: parseOrigin('restored.test'),
    keysDirectory: at('keys'),
    rootKeyFile: at('root.key'),
    ownerKeyFile: at('owner.key'),
    passphrase: undefined,
    now: Date.now(),
    random: new Uint8Array(32),
  });
  await store.close();
});
afterAll(() => rm(folder, { recursive: true }));

/** Starts the registry as `serve` does, logs a namespace, and ends. */
async function logNamespace(name: string): Promise<void> {
  const store = await openStore(at('store'));
  try {
    const opened = await openRegistryAt(store, at('keys'), undefined, {
      stateDirectory: at('state'),
    });
    const policy = await soloFor(opened.trust.origin, parseNamespace(name), made.owner!, 'owner');
    const signed = await signPolicy(made.owner!, policy);
    await opened.registry.createNamespace(OPERATOR, { ...signed, override: false });
    await opened.close();
  } finally {
    await store.close();
  }
}

test('a server that has seen more of its log than the store holds does not go on from there', async () => {
  await logNamespace('first');
  await cp(at('store'), at('backup'), { recursive: true });
  await logNamespace('second');
  await rename(at('store'), at('newest'));
  await cp(at('backup'), at('store'), { recursive: true });
  await expect(logNamespace('third')).rejects.toThrowWithCode('rolled-back');

  await rm(at('store'), { recursive: true });
  await rename(at('newest'), at('store'));
  await logNamespace('third');
});
