/**
 * An older copy of the bucket in the place of the newest, and what servers, each with a memory
 * of its own, say to it. `npm run test:s3`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CopyObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Seaweedfs, startSeaweedfs } from '../../scripts/peers/seaweedfs.ts';
import { parseOrigin } from '../../src/core/log/checkpoint.ts';
import { parseNamespace } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { type OpenRegistry, openRegistryAt } from '../../src/open-registry.ts';
import { initRegistry, type NewRegistry } from '../../src/operator/init.ts';
import { signPolicy, soloFor } from '../../src/operator/namespace.ts';
import type { Store } from '../../src/store/contract.ts';
import { openBucket } from '../../src/store/s3.ts';
import { OPERATOR } from '../made/live-registry.ts';

jest.setTimeout(120_000);

let folder: string;
let server: Seaweedfs;
let made: NewRegistry;
const stores: Store[] = [];
const at = (name: string) => join(folder, name);

function bucket(prefix: string): Store {
  const store = openBucket(`s3://${server.bucket}/${prefix}`, server);
  stores.push(store);
  return store;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-s3-restored-'));
  server = await startSeaweedfs(folder);
  made = await initRegistry(bucket('live'), {
    host: nodeHost,
    origin: parseOrigin('restored.test'),
    keysDirectory: at('keys'),
    rootKeyFile: at('root.key'),
    ownerKeyFile: at('owner.key'),
    passphrase: undefined,
    now: Date.now(),
    random: new Uint8Array(32),
  });
});

afterAll(async () => {
  for (const store of stores) await store.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A server on the bucket below `prefix`, which remembers in `state`. */
function start(prefix: string, state: string): Promise<OpenRegistry> {
  return openRegistryAt(bucket(prefix), at('keys'), undefined, { stateDirectory: at(state) });
}

async function logNamespace({ registry, trust }: OpenRegistry, name: string): Promise<void> {
  const policy = await soloFor(trust.origin, parseNamespace(name), made.owner!, 'owner');
  const signed = await signPolicy(made.owner!, policy);
  await registry.createNamespace(OPERATOR, { ...signed, override: false });
}

/** The bucket as it is now, below another prefix. */
async function copy(from: string, to: string): Promise<void> {
  const client = new S3Client({ ...server, forcePathStyle: true });
  const Bucket = server.bucket;
  for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: `${from}/` })) {
    for (const { Key } of page.Contents ?? []) {
      const CopySource = `${Bucket}/${Key}`;
      const target = `${to}/${Key!.slice(from.length + 1)}`;
      await client.send(new CopyObjectCommand({ Bucket, CopySource, Key: target }));
    }
  }
  client.destroy();
}

test('is refused by each of two servers that remembers more, and taken again once it is whole', async () => {
  const [one, two] = [await start('live', 'state-1'), await start('live', 'state-2')];
  await logNamespace(one, 'first');
  await copy('live', 'backup');
  await logNamespace(one, 'second');
  // The other one takes that commit over, and remembers it with its own.
  await logNamespace(two, 'third');
  await one.close();
  await two.close();
  for (const state of ['state-1', 'state-2']) {
    await expect(start('backup', state)).rejects.toThrowWithCode('rolled-back');
    await expect(start('backup', state)).rejects.toThrow(/docs\/restored-backup\.md/);
  }
  await copy('live', 'backup');
  const again = await start('backup', 'state-2');
  await logNamespace(again, 'fourth');
  expect(again.sequencer.published()?.size).toBeGreaterThan(two.sequencer.committed().size);
  await again.close();
});
