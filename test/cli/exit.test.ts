import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { STATUS, statusOf } from '../../src/cli/exit.ts';
import type { ErrorCode } from '../../src/core/error.ts';

describe('exit statuses', () => {
  test('every error code has one, and there is none without a code', () => {
    const source = readFileSync(new URL('../../src/core/error.ts', import.meta.url), 'utf8');
    const codes = [...source.matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(30);
    expect(Object.keys(STATUS).sort()).toEqual(codes.sort());
  });

  test('are the ones that scripts rely on', () => {
    expect(STATUS).toMatchObject({
      storage: 1,
      'disk-full': 1,
      usage: 2,
      'not-authorised': 3,
      'not-found': 4,
      network: 5,
      'digest-mismatch': 10,
      'signature-invalid': 11,
      untrusted: 11,
      'proof-invalid': 12,
      fork: 12,
      recalled: 13,
      'gate-unmet': 13,
      'already-published': 13,
      stale: 14,
      'rolled-back': 14,
      'bad-path': 20,
      'bad-weights': 20,
      'file-changed': 20,
      'too-large': 20,
      interrupted: 130,
    });
  });

  test.each(['constructor', 'no-such-code'])('a server’s code "%s" is an unknown one', (code) => {
    expect(statusOf(code as ErrorCode)).toBe(1);
  });

  test('only success is 0', () => {
    expect(Object.values(STATUS)).not.toContain(0);
  });
});
