import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseOrigin } from '../../src/core/log/checkpoint.ts';
import { fingerprint } from '../../src/core/trust/root.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { openLogReader } from '../../src/log/reader.ts';
import { openSequencer } from '../../src/log/sequencer.ts';
import { type InitOptions, initRegistry } from '../../src/operator/init.ts';
import { openHeldKeys } from '../../src/operator/keys-directory.ts';
import { Disk } from '../made/memory-store.ts';

let folder: string;
let disk: Disk;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-init-'));
  disk = new Disk();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const options = (more: Partial<InitOptions> = {}): InitOptions => ({
  host: nodeHost,
  origin: parseOrigin('models.example'),
  keysDirectory: join(folder, 'keys'),
  rootKeyFile: join(folder, 'root.key'),
  ownerKeyFile: join(folder, 'owner.key'),
  passphrase: undefined,
  now: Date.now(),
  random: new Uint8Array(randomBytes(32)),
  ...more,
});

/** An init that is stopped before it writes `key`. */
async function stoppedBefore(key: string): Promise<void> {
  const store = disk.open({
    fault: (operation) => (operation.kind === 'swap' && operation.key === key ? 'fail' : undefined),
  });
  await expect(initRegistry(store, options())).rejects.toThrow();
}

/** Starts the log as the server does; resolves to the size of what is published. */
async function publishedSize(): Promise<number> {
  const store = disk.open();
  const { origin, log } = await openHeldKeys(nodeHost, join(folder, 'keys'), undefined);
  const random = () => new Uint8Array(randomBytes(32));
  const parts = { store, host: nodeHost, origin, keys: log, clock: Date.now, random };
  const sequencer = await openSequencer(parts);
  await sequencer.close();
  return (await openLogReader(store, nodeHost).published()).size;
}

describe('an init that was stopped between trust root and log', () => {
  test('is finished by the same init, with the keys that it made', async () => {
    await stoppedBefore('private/lock');
    const root = disk.bytes('root/1');
    const made = await initRegistry(disk.open(), options());
    expect(disk.bytes('root/1')).toEqual(root);
    expect(made.fingerprint).toBe(fingerprint(nodeHost, root));
    expect(made.owner).toBeDefined();
    expect(await publishedSize()).toBe(0);
    await expect(initRegistry(disk.open(), options())).rejects.toThrowWithCode('conflict');
  });

  test('is not finished under another name or with other keys', async () => {
    await stoppedBefore('private/lock');
    const origin = parseOrigin('other.example');
    await expect(initRegistry(disk.open(), options({ origin }))).rejects.toThrowWithCode(
      'conflict',
    );
    const elsewhere = { keysDirectory: join(folder, 'other') };
    const without = initRegistry(disk.open(), options(elsewhere));
    await expect(without).rejects.toThrowWithCode('conflict');
    await initRegistry(
      new Disk().open(),
      options({ ...elsewhere, rootKeyFile: join(folder, 'r'), ownerKeyFile: join(folder, 'o') }),
    );
    const others = initRegistry(disk.open(), options(elsewhere));
    await expect(others).rejects.toThrowWithCode('conflict');
    expect(disk.objects.has('private/lock')).toBe(false);
  });

  test('is not what a log that lost its lock and checkpoint looks like', async () => {
    await initRegistry(disk.open(), options());
    disk.plant('heads', new Uint8Array(1));
    disk.objects.delete('private/lock');
    disk.objects.delete('log/checkpoint');
    await expect(initRegistry(disk.open(), options())).rejects.toThrowWithCode('conflict');
  });
});

test('an init that was stopped before the first checkpoint was shown is finished by the server', async () => {
  await stoppedBefore('log/checkpoint');
  expect(await publishedSize()).toBe(0);
});
