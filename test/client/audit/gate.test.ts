import { describe, expect, test } from '@jest/globals';
import type { JudgedRelease } from '../../../src/client/audit/documents.ts';
import { parseUtf8 } from '../../../src/core/bytes.ts';
import type { Digest } from '../../../src/core/digest.ts';
import type { Requirements } from '../../../src/core/release/requirements.ts';
import { Audited } from '../../made/audited.ts';
import { GatedNamespace } from '../../made/gated.ts';
import { dice, tell, VIOLATIONS } from '../../made/gated-stories.ts';

const RELEASES = 500;
/** Of so many releases one is in violation. */
const ONE_IN = 4;

/** `WEIGHHOUSE_SEED=…` plays the same releases once more. */
const SEED = Number(process.env.WEIGHHOUSE_SEED ?? Math.floor(Math.random() * 2 ** 32));

const APPROVED: Requirements = { approvals: [{ role: 'reviewer', count: 1 }] };

/** The violations, in short. */
async function found(audited: Audited) {
  const { violations } = await audited.audit();
  return violations.map(({ index, code }) => [index, code]);
}

describe('an audit of gated releases', () => {
  test(`finds of ${RELEASES} random ones exactly those in violation (seed ${SEED})`, async () => {
    const roll = dice(SEED);
    const audited = new Audited();
    const { made } = audited;
    const kinds = Object.keys(VIOLATIONS);
    const expected: [index: number, kind: string][] = [];
    for (let i = 0; i < RELEASES; i++) {
      const kind = roll() < 1 / ONE_IN ? kinds[Math.floor(roll() * kinds.length)]! : undefined;
      const index = tell(made, roll, kind);
      if (i % 25 === 24) made.heads();
      if (kind !== undefined) expected.push([index, kind]);
    }
    const judged: JudgedRelease[] = [];
    const report = await audited.audit({ onRelease: (release) => judged.push(release) });
    const violations = report.violations.map(({ index, code, message }) => {
      const kind = expected.find(([at]) => at === index)?.[1] ?? message;
      return [index, kind, code];
    });
    expect(violations).toEqual(expected.map(([at, kind]) => [at, kind, VIOLATIONS[kind]!.code]));
    expect(expected.length).toBeGreaterThan(RELEASES / ONE_IN / 2);
    const refused = judged.filter(({ ok }) => !ok).map(({ index }) => index);
    expect(refused.sort((a, b) => a - b)).toEqual(expected.map(([at]) => at));
    expect(judged).toHaveLength(RELEASES);
  }, 300_000);

  test.each(Object.entries(VIOLATIONS))('finds that %s', async (kind, { code }) => {
    const audited = new Audited();
    tell(audited.made, dice(1));
    const index = tell(audited.made, dice(SEED), kind);
    audited.made.heads();
    expect(await found(audited)).toEqual([[index, code]]);
  });

  test('says of each what it was met by', async () => {
    const audited = new Audited();
    tell(audited.made, () => 0.05);
    audited.made.heads();
    const judged: JudgedRelease[] = [];
    await audited.audit({ onRelease: (release) => judged.push(release) });
    expect(judged).toMatchObject([
      { ok: true, gate: { policy: 0, gated: true, people: ['eve', 'registry', 'rita', 'rob'] } },
    ]);
  });

  test('goes on from a state: what was committed before it is opened after it', async () => {
    for (const dropped of [false, true]) {
      const audited = new Audited();
      const { made } = audited;
      tell(made, () => 0.05);
      const space = new GatedNamespace(made, 'acme', APPROVED);
      const draft = space.draft('kimi@v1', 'weights');
      draft.seal();
      const objection = draft.stop('ron', 'object');
      const lost = draft.stop('rob', 'hold');
      space.void(lost.label);
      made.heads();
      const { state } = await audited.audit();
      expect(parseUtf8(state!)).toContain('"v":2');
      draft.lift('ron', objection);
      draft.approve('rita');
      const index = draft.publish({
        show: (all) => all.filter((each) => each !== lost && !(dropped && each === objection)),
      });
      made.heads();
      const report = await audited.audit({ state });
      const expected = dropped ? [{ index, code: 'gate-unmet' }] : [];
      expect(report.violations).toMatchObject(expected);
      expect(report.violations).toHaveLength(expected.length);
      // What releases have accounted for is carried no further.
      if (!dropped) {
        expect(parseUtf8(report.state!)).toContain('"commitments":[]');
        expect(report.state).toEqual((await audited.audit()).state);
      }
    }
  });

  test('reads what was left out of the state, when a later release of the same bytes shows it', async () => {
    const audited = new Audited();
    const space = new GatedNamespace(audited.made, 'acme', APPROVED);
    const first = space.draft('kimi@v1', 'weights');
    first.seal();
    first.lift('ron', first.stop('ron', 'object'));
    first.approve('rita');
    first.publish();
    audited.made.heads();
    const { state } = await audited.audit();
    const second = space.draft('kimi@v2', 'weights');
    second.seal();
    second.approve('rita');
    second.publish({}, first.decisions);
    audited.made.heads();
    expect(await audited.audit({ state })).toMatchObject({ ok: true });
    expect(await audited.audit()).toMatchObject({ ok: true });
  });

  test('finds an objection to the same bytes under another name, while it stands', async () => {
    const audited = new Audited();
    const space = new GatedNamespace(audited.made, 'acme', APPROVED);
    const first = space.draft('kimi@v1', 'weights');
    first.seal();
    const lift = first.lift('max', first.stop('ron', 'object'));
    first.approve('rita');
    first.publish();
    const second = space.draft('kimi@v2', 'weights');
    second.seal();
    second.approve('rita');
    const index = second.publish(
      {},
      first.decisions.filter((each) => each !== lift),
    );
    audited.made.heads();
    expect(await found(audited)).toEqual([[index, 'gate-unmet']]);
  });

  test('finds a gated release whose entry names no decisions, and documents of others', async () => {
    const audited = new Audited();
    const space = new GatedNamespace(audited.made, 'acme', APPROVED);
    const indexes: number[] = [];
    const other = 'sha256:'.padEnd(71, '0') as Digest;
    audited.made.statements.set(other, new TextEncoder().encode('{}'));
    for (const named of [{ decisions: other }, { verdict: other }, { intent: other }]) {
      const draft = space.draft(`kimi@v${indexes.length}`, `weights ${indexes.length}`);
      draft.seal();
      draft.approve('rita');
      indexes.push(draft.publish({ named }));
    }
    audited.made.heads();
    const codes = indexes.map((index) => [index, 'digest-mismatch']);
    expect(await found(audited)).toEqual(codes);
  });
});

describe('an audit of what a namespace says', () => {
  test('finds a policy that too few owners signed, and counts those of the one in force', async () => {
    const audited = new Audited();
    const owners = { owners: 2, roles: { owner: ['olga', 'max'], 'release-manager': ['max'] } };
    const space = new GatedNamespace(audited.made, 'acme', {}, owners);
    // Looser, so that it waits an hour: until then two owners sign.
    space.setPolicy({ owners: 1 }, ['olga', 'max']);
    const few = space.setPolicy({ delay: 7200 }, ['olga']);
    audited.made.wait(7200);
    audited.made.heads();
    expect(await found(audited)).toEqual([[few, 'signature-invalid']]);
  });

  test('lets the policy count that has waited out its delay', async () => {
    const audited = new Audited();
    const owners = { owners: 2, roles: { owner: ['olga', 'max'], 'release-manager': ['max'] } };
    const space = new GatedNamespace(audited.made, 'acme', {}, owners);
    space.setPolicy({ owners: 1 }, ['olga', 'max']);
    audited.made.wait(3600);
    space.setPolicy({ delay: 7200 }, ['olga']);
    audited.made.heads();
    expect(await found(audited)).toEqual([]);
  });

  test('finds announcements and voids by others than those who may', async () => {
    const audited = new Audited();
    const space = new GatedNamespace(audited.made, 'acme', APPROVED);
    const said = { release: 'acme/kimi@v1', announcement: 'postponed', date: null } as const;
    const announced = space.announce(said, 'pat');
    const draft = space.draft('kimi@v1', 'weights');
    const { label } = draft.stop('ron', 'object');
    const voided = space.void(label, ['pat']);
    audited.made.heads();
    expect(await found(audited)).toEqual([
      [announced, 'signature-invalid'],
      [voided, 'signature-invalid'],
    ]);
  });

  test('finds a label that is committed twice', async () => {
    const audited = new Audited();
    const { made } = audited;
    const draft = new GatedNamespace(made, 'acme', APPROVED).draft('kimi@v1', 'weights');
    const { index } = draft.approve('rita');
    const again = made.append(made.entries[index]!.slice());
    made.heads();
    expect(await found(audited)).toEqual([[again, 'untrusted']]);
  });
});
