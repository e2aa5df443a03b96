import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { utf8 } from '../../src/core/bytes.ts';
import { CodedError } from '../../src/core/error.ts';
import {
  formatLock,
  formatNonce,
  formatProcessName,
  formerOf,
  type HeldLock,
  type Lock,
  loadLock,
  MAX_FORMER,
  MAX_TURNS,
  outcomeOf,
  parseLock,
  swapLock,
} from '../../src/log/lock.ts';
import type { Store, Version } from '../../src/store/contract.ts';
import { Disk } from '../made/memory-store.ts';

const by = 'b'.repeat(16);
const lock: Lock = {
  checkpoint: utf8('log.example\n0\n…\n'),
  time: 5,
  nonce: `${'0'.repeat(31)}a`,
  by,
  former: [],
  turns: [],
};
const text = new TextDecoder().decode(formatLock(lock));

const never = async (cause: unknown) => {
  throw cause;
};

const random = fc.uint8Array({ minLength: 16, maxLength: 16 });
const nonces = random.map(formatNonce);
const names = random.map(formatProcessName);

/** The lock that follows upon `before`. */
function following(before: Lock, digit: string): Lock {
  return { ...before, nonce: digit.repeat(32), former: formerOf(before) };
}

describe('the lock document', () => {
  test('every lock survives format and parse', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.maxSafeNat(),
        fc.record({
          nonce: nonces,
          by: names,
          former: fc.array(nonces, { maxLength: MAX_FORMER }),
          turns: fc.array(names, { maxLength: MAX_TURNS }),
        }),
        (checkpoint, time, rest) => {
          const made = { checkpoint: utf8(checkpoint), time, ...rest };
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
    ['a short name of its process', text.replace('bb', 'b')],
    ['one turn too many', text.replace('"turns":[]', `"turns":[${Array(17).fill(`"${by}"`)}]`)],
    ['one nonce too many', text.replace('[]', `[${Array(17).fill(`"${'c'.repeat(32)}"`)}]`)],
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

  test('that was written before there were turns is read', () => {
    const { nonce } = lock;
    const old = `{"checkpoint":"log.example\\n0\\n…\\n","nonce":"${nonce}","time":5,"v":1}`;
    expect(parseLock(utf8(old))).toEqual({ ...lock, by: '0'.repeat(16) });
  });

  test('a nonce needs 16 random bytes, the name of a process 8', () => {
    expect(formatNonce(new Uint8Array(17).fill(255))).toBe('ff'.repeat(16));
    expect(() => formatNonce(new Uint8Array(15))).toThrow(RangeError);
    expect(formatProcessName(new Uint8Array(9).fill(255))).toBe('ff'.repeat(8));
    expect(() => formatProcessName(new Uint8Array(7))).toThrow(RangeError);
  });

  test('remembers the 16 locks before it, the newest first', () => {
    let newest = lock;
    for (let i = 0; i < 20; i++) newest = following(newest, (i % 16).toString(16));
    expect(newest.former).toHaveLength(MAX_FORMER);
    expect(newest.former[0]).toBe('2'.repeat(32));
    expect(parseLock(formatLock(newest))).toEqual(newest);
  });
});

describe('what became of an attempt', () => {
  const ours = 'e'.repeat(32);
  const next = following(lock, '1');

  test('is told by the locks that followed, without a look at any tree', () => {
    expect(outcomeOf(ours, lock, lock)).toBe('open');
    expect(outcomeOf(ours, lock, next)).toBe('lost');
    expect(outcomeOf(ours, lock, following(next, '2'))).toBe('lost');
    expect(outcomeOf(ours, lock, following(lock, 'e'))).toBe('committed');
    expect(outcomeOf(ours, lock, following(following(lock, 'e'), '2'))).toBe('committed');
  });

  test('is not told any more when too many locks have followed', () => {
    let newest = next;
    for (let i = 1; i < MAX_FORMER; i++) newest = following(newest, '3');
    expect(outcomeOf(ours, lock, newest)).toBe('lost');
    expect(outcomeOf(ours, lock, following(newest, '4'))).toBe('forgotten');
  });
});

describe('replacing the lock', () => {
  /** Makes the first lock of a store. */
  async function held(store: Store): Promise<HeldLock> {
    await swapLock(store, null, lock, never);
    return (await loadLock(store))!;
  }

  test('goes through once for each version', async () => {
    const store = new Disk().open();
    const first = await held(store);
    expect(first).toEqual({ ...lock, version: first.version });
    expect(await swapLock(store, null, following(lock, '9'), never)).toMatchObject({
      outcome: 'lost',
    });
    const next = following(lock, '1');
    expect(await swapLock(store, first, next, never)).toMatchObject({ outcome: 'held' });
    expect(await swapLock(store, first, following(lock, '2'), never)).toMatchObject({
      outcome: 'lost',
      found: next,
    });
  });

  test('settles a lost answer by the nonce', async () => {
    const disk = new Disk();
    const first = await held(disk.open());
    let swaps = 0;
    const store = disk.open({
      fault: ({ kind }) => (kind === 'swap' && ++swaps === 1 ? 'lose' : undefined),
    });
    const causes: unknown[] = [];
    const pause = async (cause: unknown) => void causes.push(cause);
    const swapped = await swapLock(store, first, following(lock, '1'), pause);
    expect(swapped).toEqual({ outcome: 'held', version: (await loadLock(store))!.version });
    expect(causes).toMatchObject([{ code: 'unknown-outcome' }]);
  });

  test('does not wait for the answer of a store that lets losers wait', async () => {
    const disk = new Disk();
    const first = await held(disk.open());
    const winner = following(lock, '1');
    const real = disk.open();
    const store: Store = Object.create(real, {
      swap: {
        value: async () => {
          await real.swap('private/lock' as never, first.version, formatLock(winner));
          return new Promise<Version | undefined>(() => {});
        },
      },
      get: { value: real.get.bind(real) },
    });
    const swapped = await swapLock(store, first, following(lock, '2'), never);
    expect(swapped).toMatchObject({ outcome: 'lost', found: winner });
  });

  test('leaves off when its pause throws', async () => {
    const disk = new Disk();
    const first = await held(disk.open());
    const store = disk.open({ fault: ({ kind }) => (kind === 'swap' ? 'lose' : undefined) });
    const next = following(lock, '1');
    await expect(swapLock(store, first, next, never)).rejects.toThrowWithCode('unknown-outcome');
    const stop = async () => {
      throw new CodedError('interrupted', 'stopped');
    };
    await expect(swapLock(store, first, next, stop)).rejects.toThrowWithCode('interrupted');
  });

  test('there is none in an empty store', async () => {
    expect(await loadLock(new Disk().open())).toBeUndefined();
  });
});
