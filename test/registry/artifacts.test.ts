/** What is made out of content and kept is made out of good bytes. */
import { expect, test } from '@jest/globals';
import { GGUF, ggufKey, ggufString, makeGguf } from '../made/gguf.ts';
import { PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';

const makeWorld = useWorlds();
const MODEL = makeGguf({
  keys: [ggufKey('general.architecture', GGUF.string, ggufString('llama'))],
  tensors: [{ name: 'a', dtype: 'F32', shape: [32, 40] }],
});

test('artifacts are not made out of a model that has rotted, and are once it is whole', async () => {
  const world = await makeWorld();
  const live = await world.openWithNamespace();
  await live.release(PUBLISHER, RELEASE, { 'tiny.gguf': MODEL });
  const [blob] = [...world.disk.objects.keys()].filter((key) => key.startsWith('blobs/'));
  const rotten = MODEL.slice();
  // Another architecture, that reads as well as the right one.
  rotten[Buffer.from(MODEL).indexOf('llama')]! ^= 1;
  world.disk.plant(blob!, rotten);
  await expect(live.registry.artifacts(RELEASE)).rejects.toThrowWithCode('storage');
  world.disk.plant(blob!, MODEL);
  expect(await live.registry.artifacts(RELEASE)).toMatchObject({ ollama: {} });
});
