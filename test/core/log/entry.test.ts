import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../../src/core/bytes.ts';
import { digestOf } from '../../../src/core/digest.ts';
import { formatCanonical } from '../../../src/core/json.ts';
import { type Entry, formatEntry, MAX_SUMMARY, parseEntry } from '../../../src/core/log/entry.ts';
import { formatHead, headLeaf, headsRoot, parseHead } from '../../../src/core/log/heads.ts';
import { leafHash } from '../../../src/core/log/merkle.ts';
import { nodeHost } from '../../../src/hashing/host.ts';

const digest = digestOf(nodeHost, utf8('x'));
const hex = 'ab'.repeat(32);
const time = '2026-02-01T12:00:00.000Z';

const ENTRIES: readonly Entry[] = [
  { v: 1, kind: 'namespace', time, namespace: 'acme', policy: digest, signed: [digest, digest] },
  {
    v: 1,
    kind: 'namespace',
    time,
    namespace: 'acme',
    policy: digest,
    signed: [digest],
    override: 'skeleton',
  },
  { v: 1, kind: 'policy', time, namespace: 'acme', policy: digest, signed: [digest] },
  {
    v: 1,
    kind: 'release',
    time,
    release: 'acme/kimi@v1',
    digest,
    root: digest,
    model_sig: digest,
    release_dsse: digest,
    record: hex,
    policy: 0,
  },
  {
    v: 1,
    kind: 'advisory',
    time,
    release: 'acme/kimi@v1',
    digest,
    advisory: 'recalled',
    summary: 'Stop',
    statement: digest,
  },
  { v: 1, kind: 'commitment', time, label: hex, commit: hex },
  {
    v: 1,
    kind: 'void',
    time,
    namespace: 'acme',
    label: hex,
    statement: digest,
    signed: [digest],
  },
  {
    v: 1,
    kind: 'announcement',
    time,
    release: 'acme/kimi@v1',
    announcement: 'announced',
    date: time,
    statement: digest,
  },
  { v: 1, kind: 'heads', time, root: digest, namespaces: 0 },
  { v: 1, kind: 'root', time, version: 2, digest },
];

describe('log entries', () => {
  test.each(ENTRIES)('of kind $kind read back what was written', (entry) => {
    expect(parseEntry(formatEntry(entry))).toEqual({ known: true, entry });
  });

  test.each(ENTRIES)(
    'of kind $kind are refused with a member more, less, or of another type',
    (entry) => {
      const parse = (value: object) => parseEntry(formatCanonical(value as Entry));
      expect(() => parse({ ...entry, extra: 1 })).toThrowWithCode('bad-entry');
      for (const name of Object.keys(entry).filter((key) => key !== 'kind' && key !== 'override')) {
        const { [name as keyof Entry]: _, ...rest } = entry;
        expect(() => parse(rest)).toThrowWithCode('bad-entry');
        expect(() => parse({ ...entry, [name]: null })).toThrowWithCode('bad-entry');
      }
    },
  );

  test('postpone until further notice with no date, and announce with none nothing', () => {
    const entry = (announcement: 'announced' | 'postponed', date: string | null): Entry => ({
      ...{ v: 1, kind: 'announcement', time, release: 'acme/kimi@v1', statement: digest },
      announcement,
      date,
    });
    for (const date of [time, null]) {
      const postponed = entry('postponed', date);
      expect(parseEntry(formatEntry(postponed))).toEqual({ known: true, entry: postponed });
    }
    expect(() => formatEntry(entry('announced', null))).toThrowWithCode('bad-entry');
  });

  test('of an unknown kind are kept', () => {
    const bytes = utf8('{"kind":"from-the-future","v":2}');
    expect(parseEntry(bytes)).toEqual({
      known: false,
      kind: 'from-the-future',
      body: { kind: 'from-the-future', v: 2 },
    });
  });

  test.each([['{"kind":"constructor"}'], ['{"kind":"toString","v":1}']])(
    '%s is an unknown kind like any other',
    (text) => {
      expect(parseEntry(utf8(text))).toMatchObject({ known: false });
    },
  );

  test.each([['[]'], ['null'], ['1'], ['{}'], ['{"kind":1}']])('%s is no entry', (text) => {
    expect(() => parseEntry(utf8(text))).toThrowWithCode('bad-entry');
  });

  test.each([
    ['2026-02-01T12:00:00Z'],
    ['2026-02-30T12:00:00.000Z'],
    ['2026-02-01T12:00:00.000+00:00'],
    [''],
  ])('the time %j is refused', (wrong) => {
    expect(() => formatEntry({ ...ENTRIES[5]!, time: wrong } as Entry)).toThrowWithCode(
      'bad-entry',
    );
  });

  test('a summary may have 2,000 characters, and not 2,001', () => {
    const advisory = (length: number) => ({ ...ENTRIES[4]!, summary: 's'.repeat(length) }) as Entry;
    expect(() => formatEntry(advisory(MAX_SUMMARY))).not.toThrow();
    expect(() => formatEntry(advisory(MAX_SUMMARY + 1))).toThrowWithCode('bad-entry');
  });
});

describe('heads', () => {
  const head = {
    v: 1 as const,
    namespace: 'acme',
    policy: 0,
    releases: { kimi: 4 },
    advisories: [7, 9],
  };

  test('read back what was written', () => {
    expect(parseHead(formatHead(head))).toEqual(head);
  });

  test('are refused with advisories out of order or twice', () => {
    for (const advisories of [
      [9, 7],
      [7, 7],
    ]) {
      expect(() => formatHead({ ...head, advisories })).toThrowWithCode('bad-document');
    }
  });

  test('the root does not depend on the order in which namespaces came', () => {
    const leaves = ['b', 'a', 'c'].map((name) => [name, headLeaf(nodeHost, utf8(name))] as const);
    expect(headsRoot(nodeHost, new Map(leaves))).toBe(
      headsRoot(nodeHost, new Map(leaves.toReversed())),
    );
    expect(headsRoot(nodeHost, new Map(leaves.slice(0, 1)))).toBe(
      `sha256:${Buffer.from(leafHash(nodeHost, utf8('b'))).toString('hex')}`,
    );
  });
});
