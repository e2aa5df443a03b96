import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  heldBy,
  MAX_OPEN_DRAFTS,
  NOTHING,
  plus,
  type QuotaRecord,
  usedOf,
} from '../../src/registry/documents/quota.ts';
import { type Folded, judge, type Want } from '../../src/registry/quota-judge.ts';

const EMPTY: QuotaRecord = { v: 1, generation: 0, settled: NOTHING, drafts: {} };
const DRAFT = 'acme/tiny@v1';
const asking = (limits: QuotaRecord['limits'] = {}, server = 'one') => ({
  server,
  now: 1_000,
  limits,
});
const begin = (draft: string): Want => ({ draft, amount: NOTHING, for: 'begin' });
const file = (bytes: number, draft = DRAFT): Want => ({
  draft,
  amount: { files: 1, bytes },
  for: 'file',
});
const NONE: ReadonlyMap<string, Folded> = new Map();

describe('open drafts', () => {
  test('are as many as there may be at most, and not one more, whatever the quota says', () => {
    const names = Array.from({ length: MAX_OPEN_DRAFTS + 1 }, (_, n) => begin(`acme/tiny@v${n}`));
    const { record, refusals } = judge(EMPTY, asking({ drafts: 2 * MAX_OPEN_DRAFTS }), NONE, names);
    expect(Object.keys(record.drafts)).toHaveLength(MAX_OPEN_DRAFTS);
    expect(refusals.map((it) => it?.what).filter(Boolean)).toEqual(['drafts']);
    expect(refusals.at(-1)).toMatchObject({ used: MAX_OPEN_DRAFTS, limit: MAX_OPEN_DRAFTS });
  });
});

describe('a grant', () => {
  test('is more than what is wanted while there is plenty, and just that near the limit', () => {
    const plenty = judge(EMPTY, asking({ bytes: 8_000 }), NONE, [begin(DRAFT), file(1_600)]);
    expect(heldBy(plenty.record.drafts[DRAFT]!).bytes).toBe(1_600 + 800);
    const little = judge(EMPTY, asking({ bytes: 1_607 }), NONE, [begin(DRAFT), file(1_600)]);
    expect(heldBy(little.record.drafts[DRAFT]!).bytes).toBe(1_600);
  });

  test('that somebody has taken away while its server slept is counted anew', () => {
    const drafts = { [DRAFT]: { files: 1, bytes: 5, grants: {} } };
    const spent = { files: 1, bytes: 5 };
    const share = { spent, inFlight: NOTHING, isBusy: false, isGranted: true, isUnsure: false };
    const { record } = judge({ ...EMPTY, drafts }, asking(), new Map([[DRAFT, share]]), []);
    expect(record.drafts[DRAFT]).toEqual({ files: 1, bytes: 5, drift: true, grants: {} });
  });

  test('of others is named where it is all that is in the way', () => {
    const first = judge(EMPTY, asking({ bytes: 1_000 }), NONE, [begin(DRAFT), file(200)]);
    const { refusals } = judge(first.record, asking({ bytes: 1_000 }, 'two'), NONE, [file(750)]);
    expect(refusals[0]).toMatchObject({ used: 300, asked: 750, limit: 1_000, setAside: 300 });
  });
});

describe('whatever servers want, in whatever order', () => {
  const step = fc.record({
    server: fc.constantFrom('one', 'two', 'three'),
    draft: fc.constantFrom('a', 'b', 'c'),
    bytes: fc.nat({ max: 400 }),
    /** Of what was granted to it, what the server has used since. */
    spends: fc.nat({ max: 100 }),
  });

  test('no more is granted than the limit, and what was spent is never forgotten', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat({ max: 3_000 }), (steps, limit) => {
        let record = EMPTY;
        let spent = 0;
        for (const { server, draft, bytes, spends } of steps) {
          const mine = record.drafts[draft]?.grants[server];
          const used = Math.min(spends, mine?.bytes ?? 0);
          const files = Math.min(1, mine?.files ?? 0);
          const share: Folded = {
            spent: { files, bytes: used },
            inFlight: NOTHING,
            isBusy: false,
            isGranted: mine !== undefined,
            isUnsure: false,
          };
          const folded = new Map(mine === undefined ? [] : [[draft, share]]);
          const limits = { bytes: limit };
          const asked = asking(limits, server);
          record = judge(record, asked, folded, [begin(draft), file(bytes, draft)]).record;
          spent += used;
          expect(usedOf(record).bytes).toBeLessThanOrEqual(limit);
          const counted = Object.values(record.drafts).reduce((sum, it) => plus(sum, it), NOTHING);
          expect(counted.bytes).toBe(spent);
        }
      }),
    );
  });
});
