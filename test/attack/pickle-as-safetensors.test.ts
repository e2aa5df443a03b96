import { describe, expect, test } from '@jest/globals';
import { parseManifest } from '../../src/core/release/manifest.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { caller, type MadeFiles, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';
import { makeSafetensors } from '../made/safetensors.ts';

const makeWorld = useWorlds();

/** `cos\nsystem\n(S'id'\ntR.` after the header of protocol 2. */
const PICKLE = new Uint8Array([0x80, 0x02, ...Buffer.from("cos\nsystem\n(S'id'\ntR.")]);

async function sealing(files: MadeFiles) {
  const live = await (await makeWorld()).openWithNamespace();
  await live.upload(PUBLISHER, RELEASE, files);
  return live.seal(PUBLISHER, RELEASE, Object.keys(files));
}

describe('code is not published under another name', () => {
  test.each(['model.safetensors', 'model.gguf', 'weights.dat', 'README.md'])(
    'a pickle called %s is refused at the seal',
    async (path) => {
      const status = await sealing({ [path]: PICKLE });
      expect(status).toMatchObject({
        state: 'draft',
        seal: { running: false, error: { code: 'code-carrying-format' } },
      });
    },
  );

  test('Python beside the weights is refused, and so is a configuration that names code', async () => {
    const model = makeSafetensors({ w: { dtype: 'F32', shape: [2] } });
    for (const files of [
      { 'model.safetensors': model, 'modeling.py': 'import os' },
      { 'model.safetensors': model, 'config.json': '{"auto_map":{"AutoModel":"m.M"}}' },
    ]) {
      const status = await sealing(files);
      expect(status.seal).toMatchObject({ error: { code: 'code-carrying-format' } });
    }
  });

  test('a policy that allows the format by name lets it in, and the manifest says what runs', async () => {
    const live = await (await makeWorld()).open();
    await live.createNamespace('old', { formats: { allow: ['pickle'] } });
    const by = caller('old', 'publisher');
    const release = parseReleaseName('old/model@v1');
    await live.push(by, release, { 'model.bin': PICKLE, 'README.md': 'careful' });
    const manifest = parseManifest(await live.registry.draftManifest(by, release));
    expect(manifest.executes).toEqual(['model.bin']);
  });
});
