/** Places, seats and time, on a fake clock. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Gate, LOAD_LIMITS, type LoadLimit } from '../../src/server/loads.ts';

const LIMIT: LoadLimit = { atOnce: 2, each: 2, waiting: 2, patience: 1_000, deadline: 5_000 };
const HERE = new AbortController().signal;

function open(limit: Partial<LoadLimit> = {}, isPressed = () => false): Gate {
  return new Gate('read', { ...LIMIT, ...limit }, isPressed);
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('places', () => {
  test('are given up to the limit; one more waits, and gets the next that is free', async () => {
    const gate = open();
    await Promise.all([gate.enter('a', HERE), gate.enter('b', HERE)]);
    let entered = false;
    const third = gate.enter('c', HERE).then(() => {
      entered = true;
    });
    await Promise.resolve();
    expect([entered, gate.running, gate.waiting]).toEqual([false, 2, 1]);
    gate.leave('a');
    await third;
    expect([gate.running, gate.waiting]).toEqual([2, 0]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('are waited for by so many; the next is refused at once, with a time to come again', async () => {
    const gate = open();
    for (let n = 0; n < 2; n++) await gate.enter('a', HERE);
    const waiting = [gate.enter('b', HERE), gate.enter('c', HERE)];
    const refused = await gate.enter('d', HERE).catch((error) => error);
    expect(refused).toMatchObject({ code: 'overloaded', details: { load: 'read' } });
    expect(refused.details.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(refused.details.retryAfterSeconds).toBeLessThanOrEqual(4);
    expect(gate.refused).toBe(1);
    gate.leave('a');
    gate.leave('a');
    await Promise.all(waiting);
  });

  test('are waited for so long, and no longer', async () => {
    const gate = open();
    for (let n = 0; n < 2; n++) await gate.enter('a', HERE);
    let outcome = 'waits';
    gate.enter('b', HERE).catch(({ code }) => {
      outcome = code;
    });
    await jest.advanceTimersByTimeAsync(LIMIT.patience - 1);
    expect(outcome).toBe('waits');
    await jest.advanceTimersByTimeAsync(1);
    expect([outcome, gate.waiting]).toEqual(['overloaded', 0]);
  });

  test('are not kept for a client that went away', async () => {
    const gate = open();
    for (let n = 0; n < 2; n++) await gate.enter('a', HERE);
    const client = new AbortController();
    const waiting = gate.enter('b', client.signal);
    client.abort();
    await expect(waiting).rejects.toThrowWithCode('interrupted');
    await expect(gate.enter('b', client.signal)).rejects.toThrowWithCode('interrupted');
    expect([gate.waiting, gate.refused]).toEqual([0, 0]);
  });

  test('are shared: one caller has no more than its part, and keeps nobody waiting behind it', async () => {
    const gate = open({ atOnce: 3, each: 2, waiting: 3 });
    for (let n = 0; n < 2; n++) await gate.enter('a', HERE);
    void gate.enter('a', HERE);
    void gate.enter('b', HERE);
    await Promise.resolve();
    expect([gate.running, gate.waiting]).toEqual([2, 2]);
    gate.leave('a');
    await Promise.resolve();
    expect([gate.running, gate.waiting]).toEqual([3, 0]);
  });

  test('are fewer while the server is pressed, and nobody waits for one', async () => {
    let isPressed = false;
    const gate = open({ atOnce: 8, each: 8 }, () => isPressed);
    for (let n = 0; n < 2; n++) await gate.enter('a', HERE);
    isPressed = true;
    await expect(gate.enter('a', HERE)).rejects.toThrowWithCode('overloaded');
    gate.leave('a');
    await gate.enter('a', HERE);
    isPressed = false;
    await gate.enter('a', HERE);
    expect(gate.running).toBe(3);
  });
});

describe('the limits in use', () => {
  test('bound places, seats, waiting and time of every class', () => {
    for (const limit of Object.values(LOAD_LIMITS)) {
      expect(limit.atOnce).toBeGreaterThan(0);
      expect(limit.atOnce + limit.waiting).toBeLessThanOrEqual(4_096);
      expect(limit.each).toBeLessThanOrEqual(limit.atOnce);
      expect(limit.patience).toBeLessThanOrEqual(10_000);
      expect(limit.deadline).toBeLessThanOrEqual(120_000);
    }
  });
});
