import { expect, test } from '@jest/globals';
import { fingerprintOf, makeUserCode, parseUserCode } from '../../src/server/user-code.ts';

test('a code has eight of twenty letters, each as likely as another', () => {
  const codes = Array.from({ length: 2_000 }, makeUserCode);
  for (const code of codes)
    expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  expect(new Set(codes).size).toBe(codes.length);
  const counts = new Map<string, number>();
  for (const letter of codes.join('').replaceAll('-', '')) {
    counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  // 800 of each are to be expected; a hundred away from that is four standard deviations.
  for (const [letter, count] of counts)
    expect([letter, Math.abs(count - 800) < 150]).toEqual([letter, true]);
});

test('is read however it is typed', () => {
  for (const typed of ['WDJB-MJHT', 'wdjb-mjht', ' WDJBMJHT ', 'w d j b m j h t', 'WDJB_MJHT.']) {
    expect(parseUserCode(typed)).toBe('WDJB-MJHT');
  }
  for (const typed of ['', 'WDJB-MJH', 'WDJB-MJHTT', 'AEIO-UAEI', 'WDJB/MJHT', 'ŴDJB-MJHT']) {
    expect([typed, parseUserCode(typed)]).toEqual([typed, undefined]);
  }
});

test('is known by a fingerprint', () => {
  expect(fingerprintOf(parseUserCode('WDJB-MJHT')!)).toMatch(/^[0-9a-f]{64}$/);
});
