/**
 * A process that writes to a directory store, to be killed or let down by its disk:
 *
 *     node writer.ts DIRECTORY SEED FIRST STEPS
 *
 * Each step is drawn from the seed and has a number, from FIRST on. What it is about to do
 * and what it was told is done goes to standard output, a line each (see journal.ts). After
 * the first failure it tries every kind of write once more, says what came of it, and ends.
 */
import { writeSync } from 'node:fs';
import { isCoded } from '../../../src/core/error.ts';
import type { Store } from '../../../src/store/contract.ts';
import { openDirectory } from '../../../src/store/directory.ts';
import { MIN_PART_SIZE } from '../../../src/store/upload-shape.ts';
import { COUNTER, contentOf, formatLine, type Kind, objectKey, uploadKey } from './journal.ts';

const [directory = '', seed = '', first = '', steps = ''] = process.argv.slice(2);
const store = await openDirectory(directory);
const draw = generator(Number(seed));

try {
  for (let step = Number(first); step < Number(first) + Number(steps); step++) {
    const kind = kindOf(draw());
    say('begin', kind, step);
    await perform(kind, step);
    say('done', kind, step);
  }
  await store.close();
} catch (error) {
  const failed = isCoded(error) ? error.code : String(error);
  const after = await Promise.all([
    codeOf(store.create(objectKey(-1), contentOf(-1))),
    codeOf(store.swap(COUNTER, null, contentOf(-1))),
    codeOf(store.delete(objectKey(-1))),
    codeOf(store.beginUpload(uploadKey(-1), { size: 1, partSize: MIN_PART_SIZE })),
  ]);
  writeSync(1, `${JSON.stringify({ failed, after })}\n`);
}

function kindOf(random: number): Kind {
  if (random < 0.4) return 'create';
  if (random < 0.75) return 'count';
  if (random < 0.9) return 'upload';
  return 'delete';
}

async function perform(kind: Kind, step: number): Promise<void> {
  if (kind === 'create') await store.create(objectKey(step), contentOf(step));
  if (kind === 'count') await count(step);
  if (kind === 'upload') await upload(store, step);
  if (kind === 'delete') await createAndDelete(step);
}

async function count(step: number): Promise<void> {
  const found = await store.get(COUNTER);
  const version = await store.swap(COUNTER, found?.version ?? null, contentOf(step));
  if (version === undefined) throw new Error('somebody else counts');
}

async function upload(to: Store, step: number): Promise<void> {
  const bytes = contentOf(step);
  const id = await to.beginUpload(uploadKey(step), {
    size: bytes.length,
    partSize: MIN_PART_SIZE,
  });
  const part = await to.putPart(uploadKey(step), id, 1, bytes.length, inPieces(bytes));
  await to.completeUpload(uploadKey(step), id, [part]);
}

async function createAndDelete(step: number): Promise<void> {
  await store.create(objectKey(step), contentOf(step));
  await store.delete(objectKey(step));
}

async function* inPieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 999) yield bytes.subarray(at, at + 999);
}

async function codeOf(write: Promise<unknown>): Promise<string> {
  return write.then(
    () => 'done',
    (error: unknown) => (isCoded(error) ? error.code : String(error)),
  );
}

function say(what: 'begin' | 'done', kind: Kind, step: number): void {
  writeSync(1, formatLine({ what, kind, step }));
}

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
