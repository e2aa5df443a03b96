/** The whole way of a release on the store that people begin with, a directory. */
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { equal } from '../../src/core/bytes.ts';
import { createLog } from '../../src/log/recover.ts';
import type { Store } from '../../src/store/contract.ts';
import { openDirectory } from '../../src/store/directory.ts';
import { PUBLISHER, RELEASE, readAll, useWorlds } from '../made/live-registry.ts';
import { START } from '../made/log.ts';
import { makeSafetensors } from '../made/safetensors.ts';

const makeWorld = useWorlds();
/** More than one part. */
const WEIGHTS = new Uint8Array(8 * 2 ** 20 + 4).map((_, i) => i % 253);
const FILES = {
  'model.safetensors': makeSafetensors({
    w: { dtype: 'U8', shape: [WEIGHTS.length], bytes: WEIGHTS },
  }),
  'empty.txt': '',
  'README.md': 'A model in a directory.\n',
};

let directory: string;
let store: Store;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weighhouse-registry-'));
});
afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

test('a release is pushed, sealed from the files themselves, published and read after a restart', async () => {
  const world = await makeWorld();
  store = await openDirectory(join(directory, 'store'), { create: true });
  await createLog({ ...world.logOptions(store), time: START, random: new Uint8Array(16) });
  const live = await world.open({}, { store });
  await live.createNamespace('acme');
  await live.upload(PUBLISHER, RELEASE, FILES);

  // A file that lost its end is found by its size, before it is hashed to the end.
  const blobs = (await readdir(directory, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile() && entry.parentPath.includes('blobs'),
  );
  expect(blobs).toHaveLength(3);
  await live.uploadFile(PUBLISHER, RELEASE, 'cut.txt', 'this will be cut');
  const cut = (await readdir(directory, { recursive: true, withFileTypes: true })).find(
    (entry) =>
      entry.isFile() &&
      entry.parentPath.includes('blobs') &&
      !blobs.some(({ name }) => name === entry.name),
  )!;
  await truncate(join(cut.parentPath, cut.name), 4);
  const paths = [...Object.keys(FILES), 'cut.txt'];
  const failed = await live.seal(PUBLISHER, RELEASE, paths);
  expect(failed.seal).toMatchObject({
    error: { code: 'digest-mismatch', message: expect.stringContaining('cut.txt') },
  });

  const { digest } = await live.seal(PUBLISHER, RELEASE, Object.keys(FILES));
  await live.registry.publish(PUBLISHER, RELEASE, digest);
  await live.close();

  const { registry } = await world.open({}, { store });
  expect(await registry.release(RELEASE)).toMatchObject({ digest });
  const content = await registry.content(RELEASE, 'model.safetensors');
  expect(content.localPath).toContain(directory);
  const bytes = await readAll(await content.read({ offset: 0, length: content.size }));
  // Not toEqual, which looks at each of eight million numbers by itself.
  expect(equal(bytes, FILES['model.safetensors'])).toBe(true);
});
