import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { utf8 } from '../../src/core/bytes.ts';
import { CodedError } from '../../src/core/error.ts';
import { formatLock, formatNonce, loadLock, parseLock, swapLock } from '../../src/log/lock.ts';
import { Disk } from '../made/memory-store.ts';

const lock = { checkpoint: utf8('log.example\n0\n…\n'), time: 5, nonce: `${'0'.repeat(31)}a` };
const text = new TextDecoder().decode(formatLock(lock));

const never = async (cause: unknown) => {
  throw cause;
};

describe('the lock document', () => {
  test('every lock survives format and parse', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.maxSafeNat(),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (checkpoint, time, random) => {
          const made = { checkpoint: utf8(checkpoint), time, nonce: formatNonce(random) };
          expect(parseLock(formatLock(made))).toEqual(made);
        },
      ),
    );
  });

  test.each([
    ['another version', text.replace('"v":1', '"v":2')],
    ['a negative time', text.replace('"time":5', '"time":-5')],
    ['a time beyond 2^53', text.replace('"time":5', '"time":9007199254740992')],
    ['a short nonce', text.replace('000a', '00a')],
    ['an upper-case nonce', text.replace('000a', '000A')],
    ['a member too many', text.replace('"v":1', '"v":1,"w":1')],
    ['a member too few', text.replace('"time":5,', '')],
  ])('%s is refused', (_, changed) => {
    expect(changed).not.toBe(text);
    expect(() => parseLock(utf8(changed))).toThrowWithCode('bad-document');
  });

  test.each([[` ${text}`], [`${text}\n`], [text.slice(0, -1)], ['']])(
    'what is not canonical JSON is refused',
    (changed) => {
      expect(() => parseLock(utf8(changed))).toThrowWithCode('bad-json');
    },
  );

  test('a nonce needs 16 random bytes', () => {
    expect(formatNonce(new Uint8Array(17).fill(255))).toBe('ff'.repeat(16));
    expect(() => formatNonce(new Uint8Array(15))).toThrow(RangeError);
  });
});

describe('replacing the lock', () => {
  test('goes through once for each version', async () => {
    const store = new Disk().open();
    const version = await swapLock(store, null, lock, never);
    expect(await loadLock(store)).toEqual({ ...lock, version });
    expect(await swapLock(store, null, lock, never)).toBeUndefined();
    const next = { ...lock, nonce: 'b'.repeat(32) };
    expect(await swapLock(store, version!, next, never)).toBeDefined();
    expect(await swapLock(store, version!, lock, never)).toBeUndefined();
  });

  test('settles a lost answer by the nonce', async () => {
    const disk = new Disk();
    let swaps = 0;
    const store = disk.open({
      fault: ({ kind }) => (kind === 'swap' && ++swaps === 1 ? 'lose' : undefined),
    });
    const causes: unknown[] = [];
    const version = await swapLock(store, null, lock, async (cause) => void causes.push(cause));
    expect(version).toBe((await loadLock(store))!.version);
    expect(causes).toMatchObject([{ code: 'unknown-outcome' }]);
  });

  test('leaves off when its pause throws', async () => {
    const store = new Disk().open({ fault: () => 'lose' });
    await expect(swapLock(store, null, lock, never)).rejects.toThrowWithCode('unknown-outcome');
    const stop = async () => {
      throw new CodedError('interrupted', 'stopped');
    };
    await expect(swapLock(store, null, lock, stop)).rejects.toThrowWithCode('interrupted');
  });

  test('there is none in an empty store', async () => {
    expect(await loadLock(new Disk().open())).toBeUndefined();
  });
});
