import { describe, expect, test } from '@jest/globals';
import { MAX_FILE_SIZE } from '../../src/core/release/chunks.ts';
import {
  declared,
  type LiveRegistry,
  PUBLISHER,
  partsOf,
  RELEASE,
  readAll,
  streamOf,
  useWorlds,
} from '../made/live-registry.ts';

const makeWorld = useWorlds();
/** Three parts, the last one short. */
const LARGE = new Uint8Array(2 * 8 * 2 ** 20 + 11).map((_, i) => i % 251);

async function openDraft(): Promise<LiveRegistry> {
  const live = await (await makeWorld()).openWithNamespace();
  await live.registry.openDraft(PUBLISHER, RELEASE);
  return live;
}

describe('an upload', () => {
  test('goes on in another process, which knows the parts that came', async () => {
    const live = await openDraft();
    const file = declared('large.bin', LARGE);
    const ticket = await live.registry.declareFile(PUBLISHER, RELEASE, file);
    if (ticket.state !== 'upload') throw new Error('nothing to upload');
    const { upload } = ticket;
    const [first, second, third] = partsOf(LARGE);
    for (const part of [third!, first!]) {
      await live.registry.putPart(PUBLISHER, RELEASE, { upload, ...part }, streamOf(part.bytes));
    }
    await live.close();

    const { registry } = await live.world.open();
    expect(await registry.declareFile(PUBLISHER, RELEASE, file)).toEqual({
      state: 'upload',
      upload,
      partSize: 8 * 2 ** 20,
      parts: [
        { number: 1, sha256: first!.sha256 },
        { number: 3, sha256: third!.sha256 },
      ],
    });
    await registry.putPart(PUBLISHER, RELEASE, { upload, ...second! }, streamOf(second!.bytes));
    await registry.completeUpload(PUBLISHER, RELEASE, upload);
    expect(await registry.declareFile(PUBLISHER, RELEASE, file)).toEqual({ state: 'stored' });
  });

  test('takes its parts at the same time', async () => {
    const live = await openDraft();
    const file = declared('large.bin', LARGE);
    const ticket = await live.registry.declareFile(PUBLISHER, RELEASE, file);
    if (ticket.state !== 'upload') throw new Error('nothing to upload');
    const { upload } = ticket;
    await Promise.all(
      partsOf(LARGE).map((part) =>
        live.registry.putPart(PUBLISHER, RELEASE, { upload, ...part }, streamOf(part.bytes)),
      ),
    );
    await live.registry.completeUpload(PUBLISHER, RELEASE, upload);
    const digest = (await live.seal(PUBLISHER, RELEASE, ['large.bin'])).digest;
    await live.registry.publish(PUBLISHER, RELEASE, digest);
    const content = await live.registry.content(RELEASE, 'large.bin');
    const range = { offset: 8 * 2 ** 20 - 3, length: 7 };
    expect(await readAll(await content.read(range))).toEqual(
      LARGE.slice(range.offset, range.offset + range.length),
    );
  });

  test('is completed twice as once', async () => {
    const live = await openDraft();
    const ticket = await live.uploadFile(PUBLISHER, RELEASE, 'a.txt', 'a');
    if (ticket.state !== 'upload') throw new Error('nothing to upload');
    await live.registry.completeUpload(PUBLISHER, RELEASE, ticket.upload);
  });

  test('of a file that was declared anew meanwhile is not completed', async () => {
    const { registry } = await openDraft();
    const ticket = await registry.declareFile(PUBLISHER, RELEASE, declared('a.txt', 'one'));
    if (ticket.state !== 'upload') throw new Error('nothing to upload');
    const [part] = partsOf('one');
    const put = { upload: ticket.upload, ...part! };
    await registry.putPart(PUBLISHER, RELEASE, put, streamOf(part!.bytes));
    await registry.declareFile(PUBLISHER, RELEASE, declared('a.txt', 'two'));
    const complete = registry.completeUpload(PUBLISHER, RELEASE, ticket.upload);
    // Whether it is gone already or will be in a moment.
    await expect(complete).rejects.toThrow(/a\.txt was declared anew|declare the file again/);
  });

  test('takes no parts once the draft is sealed', async () => {
    const live = await openDraft();
    const { registry } = live;
    const ticket = await registry.declareFile(PUBLISHER, RELEASE, declared('late.txt', 'late'));
    if (ticket.state !== 'upload') throw new Error('nothing to upload');
    await live.uploadFile(PUBLISHER, RELEASE, 'a.txt', 'a');
    await live.seal(PUBLISHER, RELEASE, ['a.txt']);
    const [part] = partsOf('late');
    const put = { upload: ticket.upload, ...part! };
    const late = registry.putPart(PUBLISHER, RELEASE, put, streamOf(part!.bytes));
    await expect(late).rejects.toThrowWithCode('conflict');
  });
});

describe('a declaration', () => {
  test('by several at the same time begins one upload that counts', async () => {
    const live = await openDraft();
    const file = declared('a.txt', 'content');
    const tickets = await Promise.all(
      Array.from({ length: 5 }, () => live.registry.declareFile(PUBLISHER, RELEASE, file)),
    );
    const again = await live.registry.declareFile(PUBLISHER, RELEASE, file);
    for (const ticket of tickets) expect(ticket).toEqual(again);
  });

  test('of an empty file is all that it takes', async () => {
    const live = await openDraft();
    const empty = declared('empty', '');
    expect(await live.registry.declareFile(PUBLISHER, RELEASE, empty)).toEqual({ state: 'stored' });
    const { digest } = await live.seal(PUBLISHER, RELEASE, ['empty']);
    await live.registry.publish(PUBLISHER, RELEASE, digest);
    const content = await live.registry.content(RELEASE, 'empty');
    expect(content.size).toBe(0);
    expect(await content.chunkList()).toHaveLength(0);
  });

  test('of a bad path, a wrong chunk size or too large a file is refused', async () => {
    const { registry } = await openDraft();
    const file = declared('a.txt', 'a');
    const declare = (changes: object) =>
      registry.declareFile(PUBLISHER, RELEASE, { ...file, ...changes });
    for (const path of ['../a', '/a', 'a\\b', 'model.sig', '.weighhouse/x', 'nul']) {
      await expect(declare({ path })).rejects.toThrowWithCode('bad-path');
    }
    const chunks = { ...file.chunks, size: 2 ** 24 };
    await expect(declare({ chunks })).rejects.toThrowWithCode('bad-document');
    const size = MAX_FILE_SIZE + 1;
    await expect(declare({ size })).rejects.toThrowWithCode('too-large');
  });

  test('of the same bytes at two paths stores them once', async () => {
    const live = await openDraft();
    const { disk } = live.world;
    await live.push(PUBLISHER, RELEASE, { 'a.txt': 'same', 'b.txt': 'same' });
    await live.registry.close();
    expect([...disk.objects.keys()].filter((key) => key.startsWith('blobs/'))).toHaveLength(1);
    expect([...disk.objects.keys()].filter((key) => key.startsWith('private/uploads'))).toEqual([]);
  });
});
