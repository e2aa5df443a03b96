import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  formatReference,
  formatReleaseName,
  MAX_MODEL_LENGTH,
  parseModel,
  parseNamespace,
  parseReference,
  parseReleaseName,
  parseVersion,
  RESERVED_NAMESPACES,
  skeleton,
} from '../../../src/core/release/name.ts';

const component = fc
  .stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,8}){0,2}$/)
  .filter((text) => !RESERVED_NAMESPACES.has(text) && !/\.(git|ipynb)$/.test(text));
const version = fc
  .stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/)
  .filter((text) => !/^(main|latest|head)$/i.test(text));

describe('references', () => {
  test('read back what was written', () => {
    fc.assert(
      fc.property(component, component, version, (namespace, name, at) => {
        const text = `${namespace}/${name}@${at}`;
        expect(formatReleaseName(parseReleaseName(text))).toBe(text);
        expect(formatReference(parseReference(text))).toBe(text);
      }),
    );
  });

  test('are looked up after lower-casing, and keep the case of the version', () => {
    expect(formatReleaseName(parseReleaseName('Acme/Kimi-K2@V1-Base'))).toBe(
      'acme/kimi-k2@V1-Base',
    );
  });

  test.each([
    ['acme'],
    ['acme/'],
    ['/kimi'],
    ['acme/kimi/x'],
    ['acme/..'],
    ['acme/.kimi'],
    ['acme/kimi-'],
    ['acme/ki--mi'],
    ['acme/ki mi'],
    ['acme/kimi.git'],
    ['acme/kimi.ipynb'],
    ['acme\\kimi/x'],
    ['acm\u00e9/kimi'],
    ['acme/kimi\n'],
    ['api/kimi'],
    ['v2/kimi'],
    ['acme/kimi@'],
    ['acme/kimi@main'],
    ['acme/kimi@LATEST'],
    ['acme/kimi@head'],
    ['acme/kimi@-v1'],
    ['acme/kimi@.v1'],
    ['acme/kimi@v1/x'],
    [`acme/kimi@${'a'.repeat(40)}`],
    [`acme/kimi@${'A'.repeat(64)}`],
    [`acme/kimi@${'v'.repeat(129)}`],
  ])('refuse %j', (text) => {
    expect(() => parseReference(text)).toThrowWithCode('bad-name');
  });

  test.each([['acme/kimi@sha256:ab'], [`acme/kimi@sha256:${'G'.repeat(64)}`]])(
    'refuse %j',
    (text) => {
      expect(() => parseReference(text)).toThrowWithCode('bad-encoding');
    },
  );

  test('a release needs a version', () => {
    expect(() => parseReleaseName('acme/kimi')).toThrowWithCode('bad-reference');
    expect(() => parseReleaseName(`acme/kimi@sha256:${'a'.repeat(64)}`)).toThrowWithCode(
      'bad-reference',
    );
  });

  test('a model may have 96 characters, and not 97', () => {
    const name = (length: number) => `acme/${'k'.repeat(length - 5)}`;
    expect(() => parseModel(name(MAX_MODEL_LENGTH))).not.toThrow();
    expect(() => parseModel(name(MAX_MODEL_LENGTH + 1))).toThrowWithCode('bad-name');
    expect(() => parseVersion('v'.repeat(128))).not.toThrow();
  });
});

describe('look-alike namespaces', () => {
  test.each([
    ['acme', 'acrne'],
    ['openlab', '0pen1ab'],
    ['open-lab', 'openlab'],
    ['deep.mind', 'deeprnind'],
    ['ai2', 'al2'],
  ])('%s and %s have one skeleton', (a, b) => {
    // rn=m is read from both sides
    expect(skeleton(parseNamespace(a)).replaceAll('rn', 'm')).toBe(
      skeleton(parseNamespace(b)).replaceAll('rn', 'm'),
    );
  });

  test('other names have others', () => {
    expect(skeleton(parseNamespace('acme'))).not.toBe(skeleton(parseNamespace('acne')));
  });
});
