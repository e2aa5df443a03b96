import { describe, expect, test } from '@jest/globals';
import { isSameRequest, parseRequest } from '../../src/registry/seal-request.ts';
import { nonceOf } from '../made/live-registry.ts';

const SOURCE = { url: 'https://hub.example/acme/tiny', revision: 'ab'.repeat(20) };
const ASKED = { nonce: nonceOf(1), paths: ['a', 'b'], source: SOURCE };

describe('a request to seal', () => {
  test('is the same with its paths in another order', () => {
    expect(isSameRequest(ASKED, { ...ASKED, paths: ['b', 'a'], source: { ...SOURCE } })).toBe(true);
  });

  test.each([
    ['nonce', { ...ASKED, nonce: nonceOf(2) }],
    ['list of paths', { ...ASKED, paths: ['a', 'c'] }],
    ['number of paths', { ...ASKED, paths: ['a'] }],
    ['source', { ...ASKED, source: { ...SOURCE, revision: 'cd'.repeat(20) } }],
    ['source, or none', { nonce: ASKED.nonce, paths: ASKED.paths }],
  ])('is another one with another %s', (_, other) => {
    expect(isSameRequest(ASKED, other)).toBe(false);
  });

  test('keeps its source, which has to be one', () => {
    expect(parseRequest(ASKED)).toEqual(ASKED);
    const source = { url: 'file:///etc/passwd', revision: SOURCE.revision };
    expect(() => parseRequest({ ...ASKED, source })).toThrowWithCode('bad-document');
  });
});
