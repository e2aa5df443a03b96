import { describe, expect, test } from '@jest/globals';
import { CodedError } from '../../src/core/error.ts';
import { persistFor } from '../../src/log/pause.ts';

/** Fails with `error` until it was called `calls` times. */
function healing(calls: number, error: Error) {
  let called = 0;
  return async () => {
    called += 1;
    if (called < calls) throw error;
    return called;
  };
}

const absent = new CodedError('storage', 'nobody answers');
const never = () => Promise.reject(absent);

describe('persisting for a while', () => {
  test('waits for what heals, and says what it waits for', async () => {
    const causes: unknown[] = [];
    const onPause = (cause: unknown) => causes.push(cause);
    expect(await persistFor({ patience: 60_000, onPause }, healing(3, absent))).toBe(3);
    expect(causes).toEqual([absent, absent]);
  });

  test('ends with the last failure when patience does', async () => {
    await expect(persistFor({ patience: 1 }, never)).rejects.toBe(absent);
  });

  test('ends at once when it is told to', async () => {
    const stop = new AbortController();
    const waiting = persistFor({ patience: 60_000, signal: stop.signal }, never);
    stop.abort();
    await expect(waiting).rejects.toThrowWithCode('interrupted');
  });

  test('does not wait for what waiting cannot cure', async () => {
    const wrong = new CodedError('storage', 'two writers won', { fatal: true });
    await expect(persistFor({ patience: 60_000 }, healing(2, wrong))).rejects.toBe(wrong);
  });
});
