import { describe, expect, test } from '@jest/globals';
import { redirectTo } from '../../../src/transfer/download/redirect.ts';

const FROM = 'https://models.example/a/b?x=1';

describe('a redirect', () => {
  test.each([
    ['https://cdn.example/c?Signature=s', 'https://cdn.example/c?Signature=s'],
    ['/c', 'https://models.example/c'],
    ['c', 'https://models.example/a/c'],
  ])('to %s leads to %s', (location, to) => {
    expect(redirectTo(location, FROM)).toBe(to);
  });

  test.each([
    'http://models.example/c',
    'file:///etc/passwd',
    'data:,x',
    'https://',
    'http://[',
    null,
    undefined,
  ])('from https to %j leads nowhere', (location) => {
    expect(() => redirectTo(location, FROM.replace('?x=1', ''))).toThrowWithCode('network');
  });

  test('may lead from http to http, and to https', () => {
    const from = FROM.replace('https', 'http');
    expect(redirectTo('http://cdn.example/c', from)).toBe('http://cdn.example/c');
    expect(redirectTo('https://cdn.example/c', from)).toBe('https://cdn.example/c');
  });

  test('is told without the address on the way, which may be signed', () => {
    const signed = 'https://cdn.example/c?Signature=s3cret';
    const to = () => redirectTo('http://x', signed, 'https://models.example/a');
    expect(to).toThrow(/^(?!.*s3cret).*models\.example/);
  });
});
