import { describe, expect, test } from '@jest/globals';
import {
  answerTo,
  type HashAnswer,
  type HashJob,
  type Piece,
} from '../../../src/browser/files/hash-job.ts';
import {
  type HashingWorker,
  HashingWorkers,
  MAX_WORKERS,
} from '../../../src/browser/files/hashing-workers.ts';
import { sha256 } from '../../made/release-files.ts';

type OnMessage = (event: { data: HashAnswer }) => void;
type OnError = (event: { message?: string }) => void;

/** A worker on this thread, which answers when it is told to. */
class MadeWorker implements HashingWorker {
  static all: MadeWorker[] = [];
  readonly jobs: HashJob[] = [];
  ended = false;
  #onMessage: OnMessage = () => {};
  #onError: OnError = () => {};

  constructor() {
    MadeWorker.all.push(this);
  }

  addEventListener(type: 'message' | 'error', listener: (event: never) => void): void {
    if (type === 'message') this.#onMessage = listener as OnMessage;
    else this.#onError = listener as OnError;
  }

  postMessage(job: HashJob): void {
    this.jobs.push(job);
  }

  terminate(): void {
    this.ended = true;
  }

  async answer(): Promise<void> {
    this.#onMessage({ data: await answerTo(this.jobs.shift()!, crypto.subtle) });
  }

  fail(): void {
    this.#onError({ message: 'no such script' });
  }
}

function open(count: number) {
  MadeWorker.all = [];
  const workers = new HashingWorkers(() => new MadeWorker(), count);
  return { workers, made: MadeWorker.all };
}

const text = 'what a file holds';
const digest = sha256(Buffer.from(text));

describe('workers', () => {
  test('are as many as there are cores, and at most so many', () => {
    expect(open(2).made).toHaveLength(2);
    expect(open(64).made).toHaveLength(MAX_WORKERS);
    expect(open(Number.NaN).made).toHaveLength(1);
  });

  test('hash one piece at a time each: no more is in memory', async () => {
    const { workers, made } = open(1);
    const hashes = [workers.hash(new Blob([text])), workers.hash(new Blob([]))];
    expect(made[0]!.jobs).toHaveLength(1);
    await made[0]!.answer();
    expect(await hashes[0]).toEqual(digest);
    await made[0]!.answer();
    expect(await hashes[1]).toEqual(sha256(new Uint8Array()));
  });

  test('that are stopped end, and reject what they were asked for', async () => {
    const { workers, made } = open(1);
    const hashes = [workers.hash(new Blob([text])), workers.hash(new Blob([text]))];
    workers.stop();
    for (const hash of [...hashes, workers.hash(new Blob([text]))]) {
      await expect(hash).rejects.toThrowWithCode('interrupted');
    }
    expect(made[0]!.ended).toBe(true);
  });

  test('that do not start are a failure, not a wait for ever', async () => {
    const { workers, made } = open(1);
    const hash = workers.hash(new Blob([text]));
    made[0]!.fail();
    await expect(hash).rejects.toThrowWithCode('internal');
  });

  test('say which file cannot be read, and go on', async () => {
    const { workers, made } = open(1);
    const gone: Piece = {
      size: 1,
      slice: () => gone,
      arrayBuffer: async () => {
        throw new Error('it was moved');
      },
    };
    const [bad, good] = [workers.hash(gone), workers.hash(new Blob([text]))];
    await Promise.all([made[0]!.answer(), expect(bad).rejects.toThrowWithCode('file-changed')]);
    await made[0]!.answer();
    expect(await good).toEqual(digest);
  });
});

test('a piece that is too large for memory is read in portions', async () => {
  const read: number[] = [];
  const watched = (blob: Blob): Piece => ({
    size: blob.size,
    slice: (start, end) => watched(blob.slice(start, end)),
    arrayBuffer: () => {
      read.push(blob.size);
      return blob.arrayBuffer();
    },
  });
  const answer = await answerTo({ id: 7, piece: watched(new Blob([text])) }, crypto.subtle, 5);
  expect(answer).toEqual({ id: 7, sha256: digest });
  expect(read).toEqual([5, 5, 5, 2]);
});
