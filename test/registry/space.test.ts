import { describe, expect, test } from '@jest/globals';
import { parseDigest } from '../../src/core/digest.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import {
  declared,
  FILES,
  type LiveRegistry,
  nonceOf,
  PUBLISHER,
  partsOf,
  RELEASE,
  streamOf,
  useWorlds,
} from '../made/live-registry.ts';

const makeWorld = useWorlds();
const NEXT = parseReleaseName('acme/tiny@v2');

async function openDraft(): Promise<LiveRegistry> {
  const live = await (await makeWorld()).openWithNamespace();
  await live.registry.openDraft(PUBLISHER, RELEASE);
  return live;
}

/** Declares the file and sends its only part; does not complete it. */
async function send({ registry }: LiveRegistry, path: string, content: string): Promise<void> {
  const ticket = await registry.declareFile(PUBLISHER, RELEASE, declared(path, content));
  if (ticket.state !== 'upload') throw new Error('nothing to upload');
  const { bytes, ...part } = partsOf(content)[0]!;
  const put = { upload: ticket.upload, ...part };
  await registry.putPart(PUBLISHER, RELEASE, put, streamOf(bytes));
}

/** What takes up space, once nothing is being tidied up any more. */
async function spaceOf(live: LiveRegistry) {
  await live.registry.close();
  const { disk } = live.world;
  const below = (prefix: string) => [...disk.objects.keys()].filter((k) => k.startsWith(prefix));
  return {
    blobs: below('blobs/').length,
    uploads: disk.uploads.size,
    records: below('private/uploads/').length,
  };
}

const NOTHING = { blobs: 0, uploads: 0, records: 0 };

describe('the space of what nothing names any more is given back', () => {
  test('when a file is declared anew that was half sent, however often', async () => {
    const live = await openDraft();
    for (const content of ['one', 'two', 'three']) await send(live, 'a.txt', content);
    expect(await spaceOf(live)).toEqual({ blobs: 0, uploads: 1, records: 2 });
  });

  test('when a file is declared anew that was wholly sent and never sealed', async () => {
    const live = await openDraft();
    await live.uploadFile(PUBLISHER, RELEASE, 'a.txt', 'one');
    await live.uploadFile(PUBLISHER, RELEASE, 'empty', '');
    await live.uploadFile(PUBLISHER, RELEASE, 'empty', 'not empty any more');
    await live.uploadFile(PUBLISHER, RELEASE, 'a.txt', 'two');
    expect(await spaceOf(live)).toEqual({ blobs: 2, uploads: 0, records: 4 });
  });

  test('when a seal finds that the bytes are not what was declared', async () => {
    const live = await openDraft();
    const { registry } = live;
    const sha256 = parseDigest(`sha256:${'0'.repeat(64)}`);
    const file = { ...declared('a.txt', 'one'), sha256 };
    const ticket = await registry.declareFile(PUBLISHER, RELEASE, file);
    if (ticket.state !== 'upload') throw new Error('nothing to upload');
    const { bytes, ...part } = partsOf('one')[0]!;
    const put = { upload: ticket.upload, ...part };
    await registry.putPart(PUBLISHER, RELEASE, put, streamOf(bytes));
    await registry.completeUpload(PUBLISHER, RELEASE, ticket.upload);
    const { seal } = await live.seal(PUBLISHER, RELEASE, ['a.txt']);
    expect(seal).toMatchObject({ error: { code: 'digest-mismatch' } });
    expect(await spaceOf(live)).toEqual(NOTHING);
  });

  test('when the draft is withdrawn, of all files that no seal has read', async () => {
    const live = await openDraft();
    await live.uploadFile(PUBLISHER, RELEASE, 'a.txt', 'wholly sent');
    await send(live, 'b.txt', 'half sent');
    await live.registry.withdraw(PUBLISHER, RELEASE);
    expect(await spaceOf(live)).toEqual(NOTHING);
  });
});

describe('bytes that a digest is bound to stay', () => {
  test('when the published file is declared anew, or withdrawn, in another draft', async () => {
    const live = await openDraft();
    await live.release(PUBLISHER, RELEASE);
    await live.upload(PUBLISHER, NEXT, FILES);
    await live.upload(PUBLISHER, NEXT, { 'README.md': 'Another one.\n' });
    await live.registry.withdraw(PUBLISHER, NEXT);
    expect(await spaceOf(live)).toEqual({ ...NOTHING, blobs: 2 });
  });

  test('when the file of a sealed draft is declared anew', async () => {
    const live = await openDraft();
    await live.push(PUBLISHER, RELEASE, { 'a.txt': 'one' });
    await live.push(PUBLISHER, RELEASE, { 'a.txt': 'two' }, nonceOf(2));
    const digest = await live.push(PUBLISHER, RELEASE, { 'a.txt': 'one' }, nonceOf(3));
    await live.registry.publish(PUBLISHER, RELEASE, digest);
    expect(await spaceOf(live)).toEqual({ ...NOTHING, blobs: 2 });
  });
});

describe('a file that is declared anew while its seal runs', () => {
  // One of the two comes first, wherever in the seal it happens.
  test.each(Array.from({ length: 14 }, (_, at) => at))(
    'never leaves a digest bound to bytes that are gone (after %i operations)',
    async (at) => {
      const live = await openDraft();
      await live.upload(PUBLISHER, RELEASE, { 'a.txt': 'one' });
      const slow = await live.world.open({ turns: () => 3 });
      await slow.registry.seal(PUBLISHER, RELEASE, { nonce: nonceOf(1), paths: ['a.txt'] });
      for (let turn = 0; turn < 3 * at; turn++) await new Promise((next) => setImmediate(next));
      const declare = live.registry.declareFile(PUBLISHER, RELEASE, declared('a.txt', 'two'));
      await declare.catch(() => {});
      await live.registry.close();
      await slow.registry.close();

      const other = await live.world.open();
      await other.release(PUBLISHER, NEXT, { 'b.txt': 'one' }, nonceOf(4));
      const content = await other.registry.content(NEXT, 'b.txt');
      expect(await new Response(await content.read({ offset: 0, length: 3 })).text()).toBe('one');
    },
  );
});
