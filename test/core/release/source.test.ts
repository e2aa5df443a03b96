import { describe, expect, test } from '@jest/globals';
import { MAX_SOURCE_URL, parseSource } from '../../../src/core/release/source.ts';

const COMMIT = 'ab'.repeat(20);
const URL = 'https://huggingface.co/openai/whisper-tiny';

describe('the source of a release', () => {
  test.each([
    [URL, COMMIT],
    ['http://127.0.0.1:8080/acme/tiny', 'ab'.repeat(32)],
    ['https://[::1]:8080/Acme/Tiny_v1.0~a', COMMIT],
    ['oci://models.example.org/a/b/c', `sha256:${'ab'.repeat(32)}`],
  ])('is %s at %s', (url, revision) => {
    expect(parseSource({ url, revision })).toEqual({ url, revision });
  });

  test.each([
    'acme/tiny',
    '/etc/passwd',
    'file:///etc/passwd',
    'ftp://example.org/a',
    'javascript:alert(1)',
    'https://example.org',
    'https://example.org/',
    'https://example.org/a/',
    'https://example.org/a//b',
    'https://example.org/../a',
    'https://example.org/a?token=secret',
    'https://example.org/a#part',
    'https://me:secret@example.org/a',
    'https://example.org/a%2fb',
    'https://EXAMPLE.org/a',
    'https://example.org/a\n',
    'https://example.org/a b',
    'https://ex\u0430mple.org/a',
  ])('is not %j', (url) => {
    expect(() => parseSource({ url, revision: COMMIT })).toThrowWithCode('bad-document');
  });

  test.each(['main', '', 'ab', 'ab'.repeat(21), COMMIT.toUpperCase(), `sha256:${COMMIT}`, 'v1.0'])(
    'has no revision %j',
    (revision) => {
      expect(() => parseSource({ url: URL, revision })).toThrowWithCode('bad-document');
    },
  );

  test(`has an address of ${MAX_SOURCE_URL} characters at most, and nothing else beside it`, () => {
    const url = URL.padEnd(MAX_SOURCE_URL, 'a');
    expect(parseSource({ url, revision: COMMIT }).url).toBe(url);
    const source = { url: `${url}a`, revision: COMMIT };
    expect(() => parseSource(source)).toThrowWithCode('bad-document');
    const more = { url: URL, revision: COMMIT, time: 'now' };
    expect(() => parseSource(more)).toThrowWithCode('bad-document');
  });
});
