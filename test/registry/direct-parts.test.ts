/** Parts that clients put into the store by themselves: what is signed, and what is made of their word. */
import { describe, expect, test } from '@jest/globals';
import { PART_SECONDS } from '../../src/registry/uploads.ts';
import type { DirectAccess, PartShape, UploadId } from '../../src/store/contract.ts';
import { type Key, keys } from '../../src/store/keys.ts';
import {
  declared,
  PUBLISHER,
  partsOf,
  RELEASE,
  streamOf,
  useWorlds,
} from '../made/live-registry.ts';
import { noise } from '../made/noise.ts';

const makeWorld = useWorlds();
const BYTES = noise(1, 8 * 2 ** 20 + 1000);
const PARTS = partsOf(BYTES);
const NAMED = PARTS.map(({ number, sha256 }) => ({ number, sha256 }));

/** A draft with one declared file, of a registry whose clients reach the store. */
async function begin() {
  const world = await makeWorld();
  const asked: { key: Key; id: UploadId; parts: readonly PartShape[]; seconds: number }[] = [];
  const direct: DirectAccess = {
    async signParts(key, id, parts, seconds) {
      asked.push({ key, id, parts, seconds });
      return parts.map(({ number }) => ({ url: `https://store.example/${number}`, headers: {} }));
    },
    signRead: async (key) => `https://store.example/${key}`,
  };
  await (await world.openWithNamespace()).close();
  const { registry } = await world.open({}, { direct });
  await registry.openDraft(PUBLISHER, RELEASE);
  const ticket = await registry.declareFile(PUBLISHER, RELEASE, declared('a.bin', BYTES));
  if (ticket.state !== 'upload') throw new Error('the file is there already');
  const { upload } = ticket;
  await registry.signParts(PUBLISHER, RELEASE, upload, NAMED);
  const { key, id } = asked[0]!;
  const store = world.disk.open();
  /** What the client does with a signed request. */
  const put = async (n: number) => {
    const { number, length, bytes } = PARTS[n]!;
    return store.putPart(key, id, number, length, streamOf(bytes));
  };
  const note = (n: number, change = {}) =>
    registry.noteParts(PUBLISHER, RELEASE, upload, [
      { ...NAMED[n]!, tag: `part-${n + 1}`, ...change },
    ]);
  const there = async () => {
    const again = await registry.declareFile(PUBLISHER, RELEASE, declared('a.bin', BYTES));
    return again.state === 'upload' ? again.parts : again.state;
  };
  return { world, registry, ticket, upload, asked, put, note, there };
}

describe('where clients reach the store', () => {
  test('a ticket says so, and a part is signed with its own length and digest, for a short while', async () => {
    const { ticket, upload, asked } = await begin();
    expect(ticket).toMatchObject({ state: 'upload', direct: true });
    const parts = PARTS.map(({ number, length, sha256 }) => ({ number, length, sha256 }));
    expect(asked).toMatchObject([{ key: keys.blob(upload), parts, seconds: PART_SECONDS }]);
  });

  test('what was put and noted makes the file', async () => {
    const { registry, upload, put, note, there } = await begin();
    await Promise.all([put(0), put(1)]);
    await note(1);
    expect(await there()).toEqual([NAMED[1]]);
    await note(0);
    await note(0);
    expect(await there()).toEqual(NAMED);
    await registry.completeUpload(PUBLISHER, RELEASE, upload);
    expect(await there()).toBe('stored');
    const signing = registry.signParts(PUBLISHER, RELEASE, upload, NAMED);
    await expect(signing).resolves.toBeDefined(); // the store refuses what is put with it
  });

  test('what was noted and never put is missing, and asked for again', async () => {
    const { registry, upload, put, note, there } = await begin();
    await put(0);
    await note(0);
    await note(1);
    const complete = registry.completeUpload(PUBLISHER, RELEASE, upload);
    await expect(complete).rejects.toMatchObject({ code: 'conflict', details: { part: 2 } });
    expect(await there()).toEqual([NAMED[0]]);
  });

  test('the newer tag of the same bytes counts, and other bytes do not', async () => {
    const { world, note, upload } = await begin();
    await note(0, { tag: 'old' });
    await note(0);
    const record = new TextDecoder().decode(world.disk.bytes(keys.uploadPart(upload, 1)));
    expect(JSON.parse(record)).toMatchObject({ tag: 'part-1', sha256: NAMED[0]!.sha256 });
    await expect(note(0, { sha256: NAMED[1]!.sha256 })).rejects.toThrowWithCode('conflict');
  });

  test.each([0, 3])('part %i of two is neither signed nor noted', async (number) => {
    const { registry, upload, note } = await begin();
    await expect(note(0, { number })).rejects.toThrowWithCode('bad-document');
    const part = { ...NAMED[0]!, number };
    const signing = registry.signParts(PUBLISHER, RELEASE, upload, [part]);
    await expect(signing).rejects.toThrowWithCode('bad-document');
  });

  test('an upload of another release is nobody’s', async () => {
    const { registry, upload } = await begin();
    const other = { ...RELEASE, version: 'other' } as typeof RELEASE;
    await registry.openDraft(PUBLISHER, other);
    const signing = registry.signParts(PUBLISHER, other, upload, NAMED);
    await expect(signing).rejects.toThrowWithCode('not-found');
  });
});

test('where clients do not reach the store, nothing is signed', async () => {
  const { registry } = await (await makeWorld()).openWithNamespace();
  await registry.openDraft(PUBLISHER, RELEASE);
  const ticket = await registry.declareFile(PUBLISHER, RELEASE, declared('a.bin', BYTES));
  expect(ticket).not.toHaveProperty('direct');
  const upload = (ticket as { upload: string }).upload;
  const signing = registry.signParts(PUBLISHER, RELEASE, upload, NAMED);
  await expect(signing).rejects.toThrowWithCode('conflict');
});
