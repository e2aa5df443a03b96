import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as v from 'valibot';
import { utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { formatCanonical, type Json } from '../../../src/core/json.ts';
import {
  formatStatement,
  MAX_SUBJECT_NAME_LENGTH,
  MAX_SUBJECTS,
  parseStatement,
  statementPayload,
} from '../../../src/core/statement/in-toto.ts';
import { nodeHost } from '../../../src/hashing/host.ts';

const TYPE = { uri: 'https://example.org/test/v1', shape: v.strictObject({ note: v.string() }) };
const digest = digestOf(nodeHost, utf8('a'));
const subjects = (count: number, name = 'a') =>
  Array.from({ length: count }, () => ({ name, digest }));
const write = (about: ReturnType<typeof subjects>) =>
  formatStatement(TYPE, { subjects: about, predicate: { note: '' } });

describe('an in-toto statement', () => {
  test('reads back what was written', () => {
    const anySubject = fc.record({
      name: fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
      digest: fc.uint8Array().map((bytes) => digestOf(nodeHost, bytes)),
    });
    const anyStatement = fc.record({
      subjects: fc.array(anySubject, { minLength: 1, maxLength: 5 }),
      predicate: fc.record({ note: fc.string({ unit: 'grapheme' }) }, { noNullPrototype: true }),
    });
    fc.assert(
      fc.property(anyStatement, (statement) => {
        const payload = formatStatement(TYPE, statement);
        expect(parseStatement(TYPE, payload)).toEqual(statement);
      }),
    );
  });

  test('has at least one subject, up to the limit, and not one more', () => {
    expect(() => write(subjects(0))).toThrowWithCode('bad-statement');
    expect(() => write(subjects(MAX_SUBJECTS))).not.toThrow();
    expect(() => write(subjects(MAX_SUBJECTS + 1))).toThrowWithCode('bad-statement');
  });

  test('has subjects with a name of up to the limit and not one character more', () => {
    const name = 'a'.repeat(MAX_SUBJECT_NAME_LENGTH);
    expect(() => write(subjects(1, ''))).toThrowWithCode('bad-statement');
    expect(() => write(subjects(1, name))).not.toThrow();
    expect(() => write(subjects(1, `${name}a`))).toThrowWithCode('bad-statement');
  });

  test.each<[string, Json]>([
    ['a further key', { extra: 1 }],
    ['a predicate of another shape', { predicate: { note: '', more: 1 } }],
    ['a predicate of another type', { predicateType: 'https://example.org/test/v2' }],
    ['a digest in capitals', { subject: [{ name: 'a', digest: { sha256: 'A'.repeat(64) } }] }],
    ['a digest of another algorithm', { subject: [{ name: 'a', digest: { sha512: '00' } }] }],
  ])('with %s is refused', (_, change) => {
    const good = JSON.parse(Buffer.from(write(subjects(1))).toString());
    const payload = formatCanonical({ ...good, ...(change as object) });
    expect(() => parseStatement(TYPE, payload)).toThrowWithCode('bad-statement');
  });

  test('is looked for in no envelope of another payload type', () => {
    const envelope = { payloadType: 'application/json', payload: utf8('{}'), signature: utf8('') };
    expect(() => statementPayload(envelope)).toThrowWithCode('bad-statement');
  });
});
