import { describe, expect, test } from '@jest/globals';
import { describeChecklist } from '../../src/cli/checklist.ts';
import { paint } from '../../src/cli/paint.ts';
import type { DraftStatus } from '../../src/client/answers.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { type Checklist, makeChecklist } from '../../src/core/release/checklist.ts';
import type { Decision } from '../../src/core/statement/decision.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { policyOf } from '../made/decisions.ts';

const name = (text: string): Digest => digestOf(nodeHost, utf8(text));
const policy = policyOf({
  evaluations: [
    { suite: 'quality', accept: ['passed'] },
    { suite: 'safety', accept: ['passed', 'warned'] },
  ],
  approvals: [{ role: 'reviewer', count: 2 }],
  sealed: 7200,
});

const said = (person: string, decision: string, detail = '', revision = 2) => ({
  index: 7,
  time: '2026-02-01T12:00:00.000Z',
  digest: name(person + decision),
  revision,
  person,
  decision,
  detail,
});

const lack = (need: string, about?: string) => ({
  need,
  about,
  message: `${need} is lacking`,
  waitsFor: ['rita'],
  satisfiedBy: `do ${need}`,
});

function status(changes: Partial<DraftStatus> = {}): DraftStatus {
  return {
    reference: 'acme/kimi-k2@v1.0',
    state: 'sealed',
    revision: 2,
    digest: name('sealed'),
    former: [name('former')],
    missing: [],
    decisions: [],
    passedOver: [],
    policyIndex: 3,
    ...changes,
  };
}

const textOf = (checklist: Checklist) =>
  describeChecklist(checklist)
    .map((line) => paint(line, { isColoured: false, columns: undefined }, (text) => text))
    .join('\n');

const none: ReadonlyMap<string, Decision> = new Map();

describe('the checklist', () => {
  test('has everything that the policy asks for, in the order of the gate', () => {
    const { rows } = makeChecklist(status(), policy, none);
    expect(rows.every(({ met }) => met)).toBe(true);
    expect(rows.map(({ what }) => what)).toEqual([
      'sealed, and the seal logged',
      'sealed for 2 h 0 min',
      'suite quality: passed',
      'suite safety: passed or warned',
      '2 approvals by the role reviewer',
      'no objection',
      'no hold',
      'not postponed',
      'every commitment opened',
      'a release manager signs the publish',
    ]);
  });

  test('puts what is lacking to the suite and the role that it is about', () => {
    const missing = [lack('evaluation', 'safety'), lack('approval', 'reviewer'), lack('hold')];
    const { rows } = makeChecklist(status({ missing }), policy, none);
    const open = rows.filter(({ met }) => !met).map(({ what }) => what);
    expect(open).toEqual([
      'suite safety: passed or warned',
      '2 approvals by the role reviewer',
      'no hold',
    ]);
  });

  test('shows who said what, when and in which entry, with what would satisfy the rest', () => {
    const evaluation = { decision: 'evaluate', suite: 'safety' } as Decision;
    const decisions = [said('eve', 'evaluate', 'safety passed'), said('rita', 'approve')];
    const statements = new Map([[decisions[0]!.digest as string, evaluation]]);
    const missing = [lack('approval', 'reviewer')];
    const text = textOf(makeChecklist(status({ decisions, missing }), policy, statements));
    expect(text).toMatch(/met +suite safety: passed or warned\n +eve {2}evaluate: safety passed/);
    expect(text).toMatch(/met +suite quality: passed\n +met/);
    expect(text).toMatch(
      /MISSING +2 approvals by the role reviewer\n +rita {2}approve {2}\(entry 7/,
    );
    expect(text).toContain('waits for: rita\n           next: do approval');
  });

  test('shows apart, with its reason, what the gate does not count', () => {
    const [first, second] = [said('rita', 'approve'), { ...said('bob', 'approve'), index: 8 }];
    const reviewers = { ...policy, roles: { ...policy.roles, reviewer: ['rita', 'bob'] } };
    const passedOver = [{ index: 8, person: 'bob', reason: 'pushed', about: 'reviewer' }];
    const decisions = [first, second];
    const checklist = makeChecklist(status({ decisions, passedOver }), reviewers, none);
    const row = checklist.rows.find(({ what }) => what.includes('reviewer'))!;
    expect(row.by.map(({ person }) => person)).toEqual(['rita']);
    expect(row.aside).toMatchObject([{ person: 'bob', reason: 'pushed' }]);
    expect(textOf(checklist)).toMatch(/bob {2}approve {2}not counted: its signer pushed this/);
  });

  test('keeps apart what was said of earlier revisions', () => {
    const decisions = [said('rita', 'approve', '', 1)];
    const checklist = makeChecklist(status({ decisions }), policy, none);
    expect(checklist.earlier).toMatchObject([{ person: 'rita' }]);
    expect(checklist.rows.flatMap(({ by }) => by)).toEqual([]);
    expect(textOf(checklist)).toContain('earlier revisions: void');
  });

  test('calls nothing met before the draft is sealed', () => {
    const missing = [lack('seal')];
    const { rows } = makeChecklist(status({ state: 'draft', missing }), policy, none);
    expect(rows).toMatchObject([{ met: false, what: 'seal' }]);
  });

  test('shows what a newer registry asks for, and nothing for a gate of none', () => {
    const { rows } = makeChecklist(status({ missing: [lack('blessing')] }), policy, none);
    expect(rows.at(-1)).toMatchObject({ met: false, what: 'blessing' });
    expect(makeChecklist(status(), policyOf({}), none).rows).toEqual([]);
  });
});
