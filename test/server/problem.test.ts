import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { ErrorCode } from '../../src/core/error.ts';
import { statusOf } from '../../src/server/problem.ts';

/** Every code, read from where they are declared: types are gone when a test runs. */
function allCodes(): ErrorCode[] {
  const path = join(import.meta.dirname, '../../src/core/error.ts');
  const union = /export type ErrorCode =([^;]*);/.exec(readFileSync(path, 'utf8'))![1]!;
  return [...union.matchAll(/\| '([a-z0-9-]+)'/g)].map(([, code]) => code as ErrorCode);
}

describe('the table of statuses', () => {
  test('has an error status for every code', () => {
    const codes = allCodes();
    expect(codes.length).toBeGreaterThan(30);
    for (const code of codes) {
      expect([code, statusOf(code)]).toEqual([code, expect.any(Number)]);
      expect(statusOf(code)).toBeGreaterThanOrEqual(400);
      expect(statusOf(code)).toBeLessThan(600);
    }
  });

  test('asks those for a token who gave none, and not those who may not', () => {
    expect(statusOf('not-authorised')).toBe(401);
    expect(statusOf('not-authorised', true)).toBe(403);
    expect(statusOf('not-found', true)).toBe(404);
  });
});
