import { describe, expect, test } from '@jest/globals';
import type { Request, Response } from 'express';
import { addressOf, MAX_CALLERS, rateLimits, WINDOW_MS } from '../../src/server/rate-limits.ts';

/** As much of a request and its answer as is looked at. */
function asking() {
  const headers = new Map<string, unknown>();
  const response = {
    headersSent: false,
    setHeader: (name: string, value: unknown) => headers.set(name, value),
    append: (name: string, value: unknown) => headers.set(name, value),
    removeHeader: (name: string) => headers.delete(name),
    getHeader: (name: string) => headers.get(name),
  };
  return [{} as Request, response as unknown as Response] as const;
}

describe('what is remembered of callers', () => {
  test('is bounded: of more than so many, those are forgotten that asked longest ago', async () => {
    const limits = rateLimits({ search: 1 }, () => 0);
    const ask = (caller: string) => limits.take('search', caller, ...asking());
    await ask('first');
    await expect(ask('first')).rejects.toThrowWithCode('rate-limited');
    for (let n = 1; n < MAX_CALLERS; n++) await ask(`another ${n}`);
    await expect(ask('first')).rejects.toThrowWithCode('rate-limited');
    // It has just asked: now it is another one that asked longest ago.
    await ask('one more');
    await expect(ask('first')).rejects.toThrowWithCode('rate-limited');
    await ask('another 1');
  });

  test('ends with the minute that began with the first request', async () => {
    let now = 0;
    const limits = rateLimits({ search: 2 }, () => now);
    const ask = () => limits.take('search', 'caller', ...asking());
    await ask();
    now = WINDOW_MS - 1;
    await ask();
    await expect(ask()).rejects.toMatchObject({ details: { retryAfterSeconds: 1 } });
    now = WINDOW_MS;
    await ask();
  });

  test('is nothing where there is no limit', async () => {
    const limits = rateLimits({ search: 0 });
    for (let n = 0; n < 10; n++) await limits.take('search', 'caller', ...asking());
  });
});

describe('an address', () => {
  test('of IPv6 stands for all that one customer has, of IPv4 for itself', () => {
    const of = (ip: string) => addressOf({ ip } as Request);
    expect(of('2001:db8:1:2::1')).toBe(of('2001:db8:1:ff:ffff::9'));
    expect(of('2001:db8:1:2::1')).not.toBe(of('2001:db8:1:102::1'));
    expect(of('192.0.2.1')).not.toBe(of('192.0.2.2'));
    expect(of('::ffff:192.0.2.1')).toBe(of('192.0.2.1'));
  });
});
