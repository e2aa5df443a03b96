/**
 * What a gated policy demands of a release: the registry's seal and its age, evaluations,
 * approvals, and a release manager's signed intent. Counted are people, never keys or
 * decisions: with two keys, or having said it twice, one person is one.
 */

import type { Evaluation } from '../statement/test-result.ts';
import {
  bindsDigest,
  type Circumstances,
  type Docket,
  hadRole,
  permittingPerson,
  personOf,
  speakerOf,
} from './docket.ts';
import type { Missing } from './missing.ts';
import type { OpenedDecision, OpenedStatement } from './opened-decision.ts';
import { membersOf } from './policy.ts';
import type { RequiredApproval, RequiredEvaluation } from './requirements.ts';

/** Everybody whom a seal of this revision names. */
export function pushersOf({ seals }: Docket): ReadonlySet<string> {
  return new Set(seals.flatMap(({ statement }) => statement.pushers));
}

/** The seal, its age, and the date before which nothing is released. */
export function missingTime(circumstances: Circumstances, { seals }: Docket): Missing[] {
  const { policy, release, time } = circumstances;
  const { sealed = 0, notBefore } = policy.gate;
  const missing: Missing[] = [];
  const now = Date.parse(time);
  if (seals.length === 0) {
    missing.push({
      need: 'seal',
      message: 'the registry has not logged when it was sealed, and who had pushed it',
      waitsFor: ['publisher'],
      satisfiedBy: `weighhouse seal ${release}`,
    });
  }
  // Of two seals of one digest the later one counts: nobody gains by sealing again.
  const ripe = Math.max(...seals.map((seal) => Date.parse(seal.time))) + sealed * 1000;
  if (now < ripe) {
    const from = new Date(ripe).toISOString();
    const message = `it must have been sealed for ${sealed} seconds, which it will be at ${from}`;
    missing.push({ need: 'age', message, waitsFor: [], satisfiedBy: from });
  }
  if (notBefore !== undefined && now < Date.parse(notBefore)) {
    const message = `nothing is released before ${notBefore}`;
    missing.push({ need: 'not-before', message, waitsFor: [], satisfiedBy: notBefore });
  }
  return missing;
}

// ------------------------------------------------------------------ evaluations

export function missingEvaluations(circumstances: Circumstances, docket: Docket): Missing[] {
  const { evaluations: required = [] } = circumstances.policy.gate;
  return required.flatMap((suite) => {
    const theirs = (docket.evaluations.get(suite.suite) ?? []).filter(
      (each) => hadRole(each, 'evaluator') && (suite.by?.includes(personOf(each)) ?? true),
    );
    const failures = standingFailures(circumstances, theirs);
    if (failures.length > 0) return failures.map((each) => describeFailure(circumstances, each));
    const met = newestByPerson(theirs).some((each) => satisfies(circumstances, suite, each));
    return met ? [] : [describeUnevaluated(circumstances, suite)];
  });
}

/** Failures that their finders have not replaced by a newer evaluation, with a key still good. */
function standingFailures(
  circumstances: Circumstances,
  evaluations: readonly OpenedDecision<Evaluation>[],
): OpenedDecision<Evaluation>[] {
  const heard = evaluations.filter((each) => speakerOf(circumstances, each) !== undefined);
  const newest = new Map(newestByPerson(heard).map((each) => [personOf(each), each.index]));
  return evaluations.filter(
    (each) =>
      each.statement.result === 'failed' &&
      each.index >= (newest.get(personOf(each)) ?? each.index),
  );
}

function newestByPerson(
  evaluations: readonly OpenedDecision<Evaluation>[],
): OpenedDecision<Evaluation>[] {
  const newest = new Map<string, OpenedDecision<Evaluation>>();
  for (const each of evaluations) {
    const before = newest.get(personOf(each));
    if (before === undefined || before.index < each.index) newest.set(personOf(each), each);
  }
  return [...newest.values()];
}

function satisfies(
  circumstances: Circumstances,
  required: RequiredEvaluation,
  evaluation: OpenedDecision<Evaluation>,
): boolean {
  const { result, harness, thresholds } = evaluation.statement;
  const accepted: readonly string[] = required.accept;
  return (
    bindsDigest(circumstances, evaluation) &&
    permittingPerson(circumstances, evaluation, 'evaluator') !== undefined &&
    accepted.includes(result) &&
    (required.harness === undefined || required.harness === harness) &&
    (required.thresholds === undefined || required.thresholds === thresholds) &&
    (required.maxAge === undefined ||
      Date.parse(circumstances.time) <= Date.parse(evaluation.time) + required.maxAge * 1000)
  );
}

function describeFailure({ release }: Circumstances, failure: OpenedDecision<Evaluation>): Missing {
  const who = personOf(failure);
  const { suite } = failure.statement;
  return {
    need: 'evaluation',
    about: suite,
    message: `the suite ${suite} failed, ${who} says in entry ${failure.index}`,
    waitsFor: [who],
    satisfiedBy: evaluateCommand(release, suite),
  };
}

function describeUnevaluated(
  { policy, release }: Circumstances,
  { suite, accept, by, maxAge }: RequiredEvaluation,
): Missing {
  const age = maxAge === undefined ? '' : `, not older than ${maxAge} seconds`;
  return {
    need: 'evaluation',
    about: suite,
    message: `the suite ${suite} must have ${accept.join(' or ')} on this digest${age}`,
    waitsFor: by ?? membersOf(policy, 'evaluator'),
    satisfiedBy: evaluateCommand(release, suite),
  };
}

function evaluateCommand(release: string, suite: string): string {
  return `weighhouse evaluate ${release} --suite ${suite} --result passed --report …`;
}

// ------------------------------------------------------------------ approvals

/**
 * Approvals of each role by distinct people, none of whom pushed. Somebody with two roles counts
 * in both.
 */
export function missingApprovals(
  circumstances: Circumstances,
  docket: Docket,
  pushers: ReadonlySet<string>,
): Missing[] {
  const { approvals: required = [] } = circumstances.policy.gate;
  return required.flatMap((approval) => {
    const people = new Set<string>();
    for (const each of docket.approvals) {
      const person = permittingPerson(circumstances, each, approval.role);
      if (person !== undefined && !pushers.has(person)) people.add(person);
    }
    if (people.size >= approval.count) return [];
    return [describeUnapproved(circumstances, approval, people, pushers)];
  });
}

function describeUnapproved(
  { policy, release }: Circumstances,
  { role, count }: RequiredApproval,
  people: ReadonlySet<string>,
  pushers: ReadonlySet<string>,
): Missing {
  const others = membersOf(policy, role).filter((id) => !people.has(id) && !pushers.has(id));
  return {
    need: 'approval',
    about: role,
    message: `${count} of the role ${role} must approve this digest, of those who did not push it; ${people.size} did`,
    waitsFor: others,
    satisfiedBy: `weighhouse approve ${release}`,
  };
}

// ------------------------------------------------------------------ intent

/** A release manager's signature under exactly this publish. */
export function missingIntent(
  circumstances: Circumstances,
  intent: OpenedStatement | undefined,
): Missing[] {
  const { policy, release, sealed } = circumstances;
  const why = whyNoIntent(circumstances, intent);
  if (why === undefined) return [];
  return [
    {
      need: 'intent',
      message: why,
      waitsFor: membersOf(policy, 'release-manager'),
      satisfiedBy: `weighhouse publish ${release} --digest ${sealed} --key …`,
    },
  ];
}

function whyNoIntent(
  circumstances: Circumstances,
  intent: OpenedStatement | undefined,
): string | undefined {
  if (intent === undefined) return 'a release manager must sign the intent to publish this digest';
  if (intent.statement.decision !== 'publish' || !bindsDigest(circumstances, intent)) {
    return 'the signed intent is not to publish this digest as this release';
  }
  if (permittingPerson(circumstances, intent, 'release-manager') !== undefined) return undefined;
  return 'the intent is not signed by a release manager with a valid key, or has expired';
}
