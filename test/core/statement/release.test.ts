import { describe, expect, test } from '@jest/globals';
import { parseUtf8, utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { formatCanonical } from '../../../src/core/json.ts';
import { parseReleaseName } from '../../../src/core/release/name.ts';
import {
  formatReleaseStatement,
  parseReleaseStatement,
} from '../../../src/core/statement/release.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { ORIGIN } from '../../made/model-signature.ts';

const statement = {
  origin: ORIGIN,
  release: parseReleaseName('acme/kimi-k2@v1.0-RC_1'),
  manifest: digestOf(nodeHost, utf8('manifest')),
  root: digestOf(nodeHost, utf8('root')),
};
const payload = formatReleaseStatement(statement);

describe('a release statement', () => {
  test('reads back what was written', () => {
    expect(parseReleaseStatement(payload)).toEqual(statement);
  });

  test('has a purl with a version and without qualifiers, and an id of the model', () => {
    const { predicate, predicateType } = JSON.parse(parseUtf8(payload));
    expect(predicateType).toBe('https://in-toto.io/attestation/release/v0.1');
    expect(predicate).toEqual({
      purl: 'pkg:generic/acme/kimi-k2@v1.0-RC_1',
      releaseId: 'models.example.org/acme/kimi-k2',
    });
  });

  type Shown = {
    subject: { name: string; digest: Record<string, string> }[];
    predicate: Record<string, string>;
  };

  test.each<[string, (it: Shown) => void]>([
    ['the purl of another release', (it) => (it.predicate.purl = 'pkg:generic/acme/other@v1')],
    ['the id of another model', (it) => (it.predicate.releaseId = 'models.example.org/acme/other')],
    ['a further key in the predicate', (it) => (it.predicate.packageId = '1')],
    ['the name of another release', (it) => (it.subject[1]!.name = 'acme/other@v1')],
    ['its subjects the other way round', (it) => it.subject.reverse()],
    ['a third subject', (it) => it.subject.push(it.subject[0]!)],
    ['one subject only', (it) => it.subject.pop()],
    ['a manifest of another name', (it) => (it.subject[0]!.name = 'other.json')],
  ])('with %s is refused', (_, change) => {
    const it = JSON.parse(parseUtf8(payload)) as Shown;
    change(it);
    expect(() => parseReleaseStatement(formatCanonical(it as never))).toThrow();
  });

  test('with an origin that is no host name is refused', () => {
    const text = parseUtf8(payload).replace('models.example.org/', 'https://models/');
    expect(() => parseReleaseStatement(utf8(text))).toThrowWithCode('bad-name');
  });
});
