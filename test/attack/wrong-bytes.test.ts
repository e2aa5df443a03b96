import { describe, expect, test } from '@jest/globals';
import { chunkSizeFor } from '../../src/core/release/chunks.ts';
import {
  declared,
  type LiveRegistry,
  PUBLISHER,
  partsOf,
  RELEASE,
  streamOf,
  useWorlds,
} from '../made/live-registry.ts';

const makeWorld = useWorlds();
const CONTENT = 'the right bytes';

async function openUpload(content = CONTENT) {
  const world = await makeWorld();
  const live = await world.openWithNamespace();
  await live.registry.openDraft(PUBLISHER, RELEASE);
  const file = declared('a.txt', content);
  const ticket = await live.registry.declareFile(PUBLISHER, RELEASE, file);
  if (ticket.state !== 'upload') throw new Error('nothing to upload');
  return { world, live, upload: ticket.upload, part: partsOf(content)[0]! };
}

async function partsThere({ registry }: LiveRegistry): Promise<unknown> {
  const ticket = await registry.declareFile(PUBLISHER, RELEASE, declared('a.txt', CONTENT));
  return ticket.state === 'upload' && ticket.parts;
}

describe('bytes that are not what was declared', () => {
  test('a part with another digest is not taken', async () => {
    const { live, upload, part } = await openUpload();
    const wrong = { ...part, upload, sha256: declared('x', 'x').sha256 };
    const put = live.registry.putPart(PUBLISHER, RELEASE, wrong, streamOf(part.bytes));
    await expect(put).rejects.toThrowWithCode('digest-mismatch');
    expect(await partsThere(live)).toEqual([]);
  });

  test.each([
    ['fewer bytes', (bytes: Uint8Array) => bytes.subarray(1)],
    ['more bytes', (bytes: Uint8Array) => new Uint8Array([...bytes, 0])],
    ['no bytes', () => new Uint8Array(0)],
  ])('a part of %s than it should have is not taken', async (_, change) => {
    const { live, upload, part } = await openUpload();
    const put = live.registry.putPart(
      PUBLISHER,
      RELEASE,
      { ...part, upload },
      streamOf(change(part.bytes)),
    );
    await expect(put).rejects.toThrowWithCode('digest-mismatch');
    expect(await partsThere(live)).toEqual([]);
  });

  test('a part that says it has another length is refused before a byte is read', async () => {
    const { live, upload, part } = await openUpload();
    for (const length of [part.length - 1, part.length + 1]) {
      const read = live.registry.putPart(
        PUBLISHER,
        RELEASE,
        { ...part, upload, length },
        unreadable(),
      );
      await expect(read).rejects.toThrowWithCode('digest-mismatch');
    }
    for (const number of [0, 2, -1, 1.5]) {
      const put = live.registry.putPart(
        PUBLISHER,
        RELEASE,
        { ...part, upload, number },
        unreadable(),
      );
      await expect(put).rejects.toThrowWithCode('bad-document');
    }
  });

  test('good parts that do not make the declared chunk root are dropped at completion', async () => {
    const { live, upload } = await openUpload();
    const [other] = partsOf('the wrong bytes');
    const { registry } = live;
    await registry.putPart(PUBLISHER, RELEASE, { ...other!, upload }, streamOf(other!.bytes));
    const complete = registry.completeUpload(PUBLISHER, RELEASE, upload);
    await expect(complete).rejects.toThrowWithCode('digest-mismatch');
    const ticket = await registry.declareFile(PUBLISHER, RELEASE, declared('a.txt', CONTENT));
    expect(ticket).toMatchObject({ state: 'upload', parts: [] });
    expect(ticket).not.toMatchObject({ upload });
  });

  test('a part is not replaced by another one', async () => {
    const { live, upload, part } = await openUpload();
    const { registry } = live;
    const [other] = partsOf('the wrong bytes');
    await registry.putPart(PUBLISHER, RELEASE, { ...part, upload }, streamOf(part.bytes));
    const replace = registry.putPart(PUBLISHER, RELEASE, { ...other!, upload }, unreadable());
    await expect(replace).rejects.toThrowWithCode('conflict');
    await registry.putPart(PUBLISHER, RELEASE, { ...part, upload }, unreadable());
  });

  test('an upload with a missing part is not completed', async () => {
    const { live, upload } = await openUpload();
    const complete = live.registry.completeUpload(PUBLISHER, RELEASE, upload);
    await expect(complete).rejects.toThrowWithCode('conflict');
  });

  test('a whole-file digest that the bytes do not have is found at the seal', async () => {
    const { live } = await openUpload();
    const { registry } = live;
    const lie = { ...declared('a.txt', CONTENT), sha256: declared('b', 'b').sha256 };
    const ticket = await registry.declareFile(PUBLISHER, RELEASE, lie);
    const upload = ticket.state === 'upload' ? ticket.upload : '';
    const [part] = partsOf(CONTENT);
    await registry.putPart(PUBLISHER, RELEASE, { ...part!, upload }, streamOf(part!.bytes));
    await registry.completeUpload(PUBLISHER, RELEASE, upload);
    const status = await live.seal(PUBLISHER, RELEASE, ['a.txt']);
    expect(status).toMatchObject({ state: 'draft', seal: { error: { code: 'digest-mismatch' } } });
  });

  test('a byte that changed in the store is found at the seal, its part named, and the file sent again', async () => {
    const chunk = chunkSizeFor(0);
    const large = 'a'.repeat(chunk + 10);
    const { world, live } = await openUpload('unused');
    await live.uploadFile(PUBLISHER, RELEASE, 'large.txt', large);
    const blob = [...world.disk.objects].find(([, { bytes }]) => bytes.length === large.length)![0];
    const damaged = world.disk.bytes(blob).slice();
    damaged[chunk + 5]! ^= 1;
    world.disk.plant(blob, damaged);

    const status = await live.seal(PUBLISHER, RELEASE, ['large.txt']);
    expect(status.seal).toMatchObject({
      running: false,
      error: {
        code: 'digest-mismatch',
        message: expect.stringContaining('large.txt is damaged in part 2'),
      },
    });
    expect((await live.uploadFile(PUBLISHER, RELEASE, 'large.txt', large)).state).toBe('upload');
    expect(await live.seal(PUBLISHER, RELEASE, ['large.txt'])).toMatchObject({ state: 'sealed' });
  });

  test('an empty file with another digest than nothing is refused', async () => {
    const { live } = await openUpload();
    const lie = { ...declared('empty', ''), sha256: declared('b', 'b').sha256 };
    const declare = live.registry.declareFile(PUBLISHER, RELEASE, lie);
    await expect(declare).rejects.toThrowWithCode('digest-mismatch');
  });
});

/** A body that must not be asked for. */
function unreadable(): AsyncIterable<Uint8Array> {
  const next = () => Promise.reject(new Error('the body was read'));
  return { [Symbol.asyncIterator]: () => ({ next }) };
}
