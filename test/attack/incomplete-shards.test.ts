import { describe, expect, test } from '@jest/globals';
import { type MadeFiles, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';
import { makeSafetensors } from '../made/safetensors.ts';

const makeWorld = useWorlds();
const FIRST = makeSafetensors({ a: { dtype: 'F32', shape: [2] } });
const SECOND = makeSafetensors({ b: { dtype: 'F32', shape: [3] } });
const INDEX = JSON.stringify({
  metadata: { total_size: 20 },
  weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' },
});

async function sealing(files: MadeFiles) {
  const live = await (await makeWorld()).openWithNamespace();
  await live.upload(PUBLISHER, RELEASE, files);
  return live.seal(PUBLISHER, RELEASE, Object.keys(files));
}

describe('a set of shards is sealed whole or not at all', () => {
  test('a complete set is sealed', async () => {
    const status = await sealing({
      'model-00001-of-00002.safetensors': FIRST,
      'model-00002-of-00002.safetensors': SECOND,
      'model.safetensors.index.json': INDEX,
    });
    expect(status).toMatchObject({ state: 'sealed' });
  });

  test.each<[string, MadeFiles]>([
    ['a shard', { 'model-00001-of-00002.safetensors': FIRST }],
    [
      'a shard that the index names',
      { 'model-00001-of-00002.safetensors': FIRST, 'model.safetensors.index.json': INDEX },
    ],
    [
      'a tensor that the index names',
      {
        'model-00001-of-00002.safetensors': FIRST,
        'model-00002-of-00002.safetensors': FIRST,
        'model.safetensors.index.json': INDEX,
      },
    ],
  ])('a set without %s is refused', async (_, files) => {
    const status = await sealing(files);
    expect(status).toMatchObject({ state: 'draft', seal: { error: { code: 'bad-weights' } } });
  });
});
