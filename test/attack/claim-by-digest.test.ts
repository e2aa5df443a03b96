import { describe, expect, test } from '@jest/globals';
import { parseReleaseName } from '../../src/core/release/name.ts';
import {
  caller,
  declared,
  type LiveRegistry,
  nonceOf,
  PUBLISHER,
  partsOf,
  RELEASE,
  streamOf,
  useWorlds,
} from '../made/live-registry.ts';

const makeWorld = useWorlds();
const SECRET = 'weights that nobody may see yet';
const MALLORY = caller('mallory', 'publisher');
const THEIRS = parseReleaseName('mallory/copy@v1');

async function openWithMallory(): Promise<LiveRegistry> {
  const live = await (await makeWorld()).openWithNamespace();
  await live.createNamespace('mallory');
  await live.registry.openDraft(MALLORY, THEIRS);
  return live;
}

describe('a digest alone opens nothing', () => {
  test('bytes of another namespace’s sealed draft have to be sent like bytes that nobody has', async () => {
    const live = await openWithMallory();
    await live.push(PUBLISHER, RELEASE, { 'a.txt': SECRET });
    const theirs = await live.registry.declareFile(MALLORY, THEIRS, declared('a.txt', SECRET));
    const unknown = await live.registry.declareFile(MALLORY, THEIRS, declared('b.txt', 'unknown'));
    const shape = { state: 'upload', upload: expect.any(String), partSize: 8388608, parts: [] };
    expect(theirs).toEqual(shape);
    expect(unknown).toEqual(shape);
  });

  test('a seal that names them without their bytes fails', async () => {
    const live = await openWithMallory();
    await live.push(PUBLISHER, RELEASE, { 'a.txt': SECRET });
    await live.registry.declareFile(MALLORY, THEIRS, declared('a.txt', SECRET));
    const status = await live.seal(MALLORY, THEIRS, ['a.txt']);
    expect(status).toMatchObject({ state: 'draft', seal: { running: false } });
  });

  test('other bytes under their digest do not become them', async () => {
    const live = await openWithMallory();
    await live.push(PUBLISHER, RELEASE, { 'a.txt': SECRET });
    const { registry } = live;
    const forged = {
      ...declared('a.txt', 'x'.repeat(SECRET.length)),
      sha256: declared('a.txt', SECRET).sha256,
    };
    const ticket = await registry.declareFile(MALLORY, THEIRS, forged);
    const upload = ticket.state === 'upload' ? ticket.upload : '';
    const [part] = partsOf('x'.repeat(SECRET.length));
    await registry.putPart(MALLORY, THEIRS, { upload, ...part! }, streamOf(part!.bytes));
    await registry.completeUpload(MALLORY, THEIRS, upload);
    const status = await live.seal(MALLORY, THEIRS, ['a.txt']);
    expect(status).toMatchObject({ seal: { error: { code: 'digest-mismatch' } } });
  });

  test('an upload of another draft can be neither fed nor completed', async () => {
    const live = await openWithMallory();
    const { registry } = live;
    await registry.openDraft(PUBLISHER, RELEASE);
    const ticket = await registry.declareFile(PUBLISHER, RELEASE, declared('a.txt', SECRET));
    const upload = ticket.state === 'upload' ? ticket.upload : '';
    const [part] = partsOf(SECRET);
    const put = registry.putPart(MALLORY, THEIRS, { upload, ...part! }, streamOf(part!.bytes));
    await expect(put).rejects.toThrowWithCode('not-found');
    const complete = registry.completeUpload(MALLORY, THEIRS, upload);
    await expect(complete).rejects.toThrowWithCode('not-found');
  });

  test('what a namespace sent before, and what is published, need not be sent again', async () => {
    const live = await openWithMallory();
    await live.push(PUBLISHER, RELEASE, { 'a.txt': SECRET });
    const next = parseReleaseName('acme/tiny@v2');
    await live.registry.openDraft(PUBLISHER, next);
    const again = await live.registry.declareFile(PUBLISHER, next, declared('b.txt', SECRET));
    expect(again).toEqual({ state: 'stored' });

    const longer = { ...declared('c.txt', SECRET), size: SECRET.length + 1 };
    const other = await live.registry.declareFile(PUBLISHER, next, longer);
    expect(other).toMatchObject({ state: 'upload' });

    await live.registry.publish(PUBLISHER, RELEASE, (await sealed(live))!);
    await live.registry.close();
    const public_ = await live.registry.declareFile(MALLORY, THEIRS, declared('a.txt', SECRET));
    expect(public_).toEqual({ state: 'stored' });
    const status = await live.seal(MALLORY, THEIRS, ['a.txt'], nonceOf(2)).catch((error) => error);
    expect(status).toMatchObject({ code: 'interrupted' });
  });
});

async function sealed(live: LiveRegistry) {
  return (await live.registry.draftStatus(PUBLISHER, RELEASE)).digest;
}
