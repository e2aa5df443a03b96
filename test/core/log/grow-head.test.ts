import { describe, expect, test } from '@jest/globals';
import { parseDigest } from '../../../src/core/digest.ts';
import type { Entry } from '../../../src/core/log/entry.ts';
import { beginHead, growHead, namespaceOfEntry } from '../../../src/core/log/grow-head.ts';
import { formatHead, parseHead } from '../../../src/core/log/heads.ts';
import { parseNamespace } from '../../../src/core/release/name.ts';

const ACME = parseNamespace('acme');
const DIGEST = parseDigest(`sha256:${'0'.repeat(64)}`);
const common = { v: 1, time: '2026-01-01T00:00:00.000Z' } as const;
const POLICY: Entry = {
  ...common,
  kind: 'policy',
  namespace: 'acme',
  policy: DIGEST,
  signed: [DIGEST],
};
const ADVISORY: Entry = {
  ...common,
  kind: 'advisory',
  release: 'acme/tiny@v1',
  digest: DIGEST,
  advisory: 'recalled',
  summary: 'Do not use.',
  statement: DIGEST,
};
const HEADS: Entry = { ...common, kind: 'heads', root: DIGEST, namespaces: 1 };

function release(name: string): Entry {
  return {
    ...common,
    kind: 'release',
    release: `acme/${name}`,
    digest: DIGEST,
    root: DIGEST,
    model_sig: DIGEST,
    release_dsse: DIGEST,
    record: '0'.repeat(64),
    policy: 0,
  };
}

describe('a namespace’s head', () => {
  test('grows entry by entry: newest policy, newest release of each name, every advisory', () => {
    const log: [number, Entry][] = [
      [3, release('tiny@v1')],
      [6, release('big@v1')],
      [9, ADVISORY],
      [11, release('tiny@v2')],
      [14, ADVISORY],
      [16, POLICY],
      [17, HEADS],
    ];
    const head = log.reduce(
      (before, [at, entry]) => growHead(before, entry, at),
      beginHead(ACME, 0),
    );
    expect(head).toEqual({
      v: 1,
      namespace: 'acme',
      policy: 16,
      releases: { tiny: 11, big: 6 },
      advisories: [9, 14],
    });
    expect(parseHead(formatHead(head))).toEqual(head);
  });

  test('is changed by entries of its namespace and by no others', () => {
    for (const entry of [POLICY, ADVISORY, release('tiny@v1')]) {
      expect(namespaceOfEntry(entry)).toBe('acme');
    }
    expect(namespaceOfEntry(HEADS)).toBeUndefined();
  });
});
