import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat, equal } from '../../../src/core/bytes.ts';
import { exactly, partBody } from '../../../src/store/s3/part-body.ts';

describe('the body of a part', () => {
  test('is what the sender sent, if it has the declared length', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(chunks, async (sent) => {
        const whole = concat(...sent);
        const { stream, failure } = partBody(from(sent), 1, whole.length, 1_000);
        expect(equal(await buffer(stream), whole)).toBe(true);
        expect(failure()).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['too few bytes', [[1, 2, 3], [4]], 5],
    ['a byte too many', [[1, 2, 3], [4], [5]], 4],
    ['a byte too many in its last chunk', [[1, 2, 3, 4, 5]], 4],
    ['no bytes', [], 1],
  ])(
    'with %s never gets its last chunk out, so that S3 cannot take it',
    async (_, sent, length) => {
      const chunks = sent.map((bytes) => Uint8Array.from(bytes));
      let passed = 0;
      const reading = (async () => {
        for await (const chunk of exactly(from(chunks), 1, length)) passed += chunk.length;
      })();
      await expect(reading).rejects.toThrowWithCode('digest-mismatch');
      expect(passed).toBeLessThan(length);
    },
  );

  test('that fails ends the request by its signal, and its stream stays silent', async () => {
    const error = new Error('the digest does not fit');
    const failing = (async function* () {
      yield new Uint8Array(10);
      throw error;
    })();
    const { stream, signal, failure } = partBody(failing, 1, 10, 1_000);
    const failed: unknown[] = [];
    stream.on('error', (reason) => failed.push(reason));
    const received: unknown[] = [];
    stream.on('data', (chunk) => received.push(chunk));
    await new Promise<void>((done) => signal.addEventListener('abort', () => done()));
    expect(failure()).toEqual({ error });
    expect([failed, received]).toEqual([[], []]);
    stream.destroy();
  });
});

describe('a request that stands still', () => {
  test('is ended when the server takes no more, or gives no answer to the whole', async () => {
    const chunk = new Uint8Array(1 << 20);
    for (const takesAll of [false, true]) {
      const { stream, signal, failure, close } = partBody(from([chunk, chunk]), 1, 2 << 20, 20);
      if (takesAll) stream.resume();
      else stream.read(0);
      await new Promise<void>((done) => signal.addEventListener('abort', () => done()));
      expect(failure()).toBeUndefined();
      close();
    }
  });

  test('because the sender is slow is not', async () => {
    const slow = (async function* () {
      yield new Uint8Array(10);
      await new Promise((done) => setTimeout(done, 60));
      yield new Uint8Array(10);
    })();
    const { stream, signal, close } = partBody(slow, 1, 20, 20);
    expect(await buffer(stream)).toHaveLength(20);
    expect(signal.aborted).toBe(false);
    close();
  });
});

async function* from(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks;
}
