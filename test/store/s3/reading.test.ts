import { Readable } from 'node:stream';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import { keys } from '../../../src/store/keys.ts';
import { bodyOf, bytesOf, cancel } from '../../../src/store/s3/reading.ts';

const KEY = keys.root(1);
const object = (body: Readable) => ({ Body: body }) as unknown as GetObjectCommandOutput;

async function all(stream: ReadableStream<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of stream) length += chunk.length;
  return length;
}

describe('the body of an answer', () => {
  test('is passed on when it has the length that was said', async () => {
    const body = Readable.from([Buffer.alloc(3), Buffer.alloc(4)]);
    expect(await all(bodyOf(KEY, object(body), 7))).toBe(7);
    const again = Readable.from([Buffer.from('abc'), Buffer.from('d')]);
    expect(await bytesOf(KEY, object(again), 4)).toEqual(new Uint8Array(Buffer.from('abcd')));
  });

  test.each([6, 8])('is refused when %i bytes were said and 7 come', async (length) => {
    const body = Readable.from([Buffer.alloc(3), Buffer.alloc(4)]);
    await expect(all(bodyOf(KEY, object(body), length))).rejects.toThrowWithCode('storage');
    expect(body.destroyed).toBe(true);
  });

  test('that breaks is refused with what broke it', async () => {
    const body = Readable.from(
      (async function* () {
        yield Buffer.alloc(3);
        throw new Error('ECONNRESET');
      })(),
    );
    const reading = all(bodyOf(KEY, object(body), 7));
    await expect(reading).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('ECONNRESET'),
    });
  });

  test('that stands still is given up', async () => {
    const body = new Readable({ read() {} });
    body.push(Buffer.alloc(3));
    await expect(all(bodyOf(KEY, object(body), 7, 20))).rejects.toThrowWithCode('storage');
    expect(body.destroyed).toBe(true);
  });

  test('may wait for its reader as long as that takes', async () => {
    const body = new Readable({ read() {} });
    body.push(Buffer.alloc(3));
    const reader = bodyOf(KEY, object(body), 7, 20).getReader();
    expect((await reader.read()).value).toHaveLength(3);
    const late = new Promise((done) => setTimeout(done, 60));
    await late;
    expect(body.destroyed).toBe(false);
    body.push(Buffer.alloc(4));
    expect((await reader.read()).value).toHaveLength(4);
  });

  test('is let go of by a reader that stops, and by one that never begins', async () => {
    for (const stop of [
      (body: Readable) => bodyOf(KEY, object(body), 7).cancel(),
      (body: Readable) => cancel(object(body)),
    ]) {
      const body = new Readable({ read() {} });
      await stop(body);
      expect(body.destroyed).toBe(true);
    }
  });
});
