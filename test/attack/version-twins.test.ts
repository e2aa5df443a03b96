import { describe, expect, test } from '@jest/globals';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { PUBLISHER, useWorlds } from '../made/live-registry.ts';

const makeWorld = useWorlds();
const LOWER = parseReleaseName('acme/tiny@v1.0-rc');
const UPPER = parseReleaseName('acme/tiny@V1.0-RC');

describe('versions that differ in case alone are one version', () => {
  test('a draft keeps its spelling, and another spelling is refused', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    await live.registry.openDraft(PUBLISHER, LOWER);
    const open = live.registry.openDraft(PUBLISHER, UPPER);
    await expect(open).rejects.toThrowWithCode('conflict');
    const status = live.registry.draftStatus(PUBLISHER, UPPER);
    await expect(status).rejects.toThrowWithCode('conflict');
  });

  test('a published version cannot be pushed in another spelling, and is found in any', async () => {
    const live = await (await makeWorld()).openWithNamespace();
    await live.release(PUBLISHER, UPPER);
    const open = live.registry.openDraft(PUBLISHER, LOWER);
    await expect(open).rejects.toThrowWithCode('already-published');
    expect(await live.registry.release(LOWER)).toMatchObject({ release: UPPER });
  });
});
