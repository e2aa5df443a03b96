/**
 * What a gated policy demands of a release: the registry's seal and its age, evaluations,
 * approvals, and a release manager's signed intent. Counted are people, never keys or
 * decisions: with two keys, or having said it twice, one person is one.
 */

import { formatSeconds } from '../amounts.ts';
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
import { Aside, type NotCounted, type Why, whyItPermitsNothing } from './passed-over.ts';
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
    const message =
      sealed > 0
        ? `it must have been sealed for ${formatSeconds(sealed)}, which it will be at ${from}`
        : `its seal in the log is of ${from}, which is to come: the registry’s clock is wrong`;
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
    return met
      ? []
      : [describeUnevaluated(circumstances, suite, [...theirs, ...idleOf(docket, suite)])];
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

/** Evaluations of the suite that were made of another draft, or had expired. */
function idleOf({ idle }: Docket, { suite }: RequiredEvaluation): OpenedDecision<Evaluation>[] {
  return idle.filter(isEvaluation).filter(({ statement }) => statement.suite === suite);
}

function isEvaluation(decision: OpenedDecision): decision is OpenedDecision<Evaluation> {
  return decision.statement.decision === 'evaluate';
}

function describeUnevaluated(
  circumstances: Circumstances,
  required: RequiredEvaluation,
  made: readonly OpenedDecision<Evaluation>[],
): Missing {
  const { policy, release } = circumstances;
  const { suite, accept, by, maxAge } = required;
  const age = maxAge === undefined ? '' : `, not older than ${maxAge} seconds`;
  const aside = unaccepted(circumstances, required, made, new Aside());
  return {
    need: 'evaluation',
    about: suite,
    message: `the suite ${suite} must have ${accept.join(' or ')} on this digest${age}${aside}`,
    waitsFor: by ?? membersOf(policy, 'evaluator'),
    satisfiedBy: evaluateCommand(release, suite),
    ...aside.member,
  };
}

/** Evaluations of a suite that do not count. */
function unaccepted(
  circumstances: Circumstances,
  required: RequiredEvaluation,
  made: readonly OpenedDecision<Evaluation>[],
  aside: Aside,
): Aside {
  for (const each of new Set(made)) {
    const why =
      whyItPermitsNothing(circumstances, each, 'evaluator') ??
      whyNotAccepted(circumstances, required, each);
    if (why !== undefined) aside.add(each, why);
  }
  return aside;
}

function whyNotAccepted(
  { time }: Circumstances,
  { accept, harness, thresholds, maxAge }: RequiredEvaluation,
  evaluation: OpenedDecision<Evaluation>,
): Why | undefined {
  const { result, ...ran } = evaluation.statement;
  const accepted: readonly string[] = accept;
  if (!accepted.includes(result)) return { reason: 'not-accepted', message: `it says ${result}` };
  for (const [what, asked, found] of [
    ['harness', harness, ran.harness],
    ['thresholds', thresholds, ran.thresholds],
  ]) {
    if (asked === undefined || asked === found) continue;
    return { reason: 'not-accepted', message: `it names ${found ?? 'no'} ${what}, not ${asked}` };
  }
  const age = Date.parse(time) - Date.parse(evaluation.time);
  if (maxAge === undefined || age <= maxAge * 1000) return undefined;
  return { reason: 'too-old', message: `it is of ${evaluation.time}` };
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
    const aside = uncounted(circumstances, docket, pushers, approval, new Aside());
    return [describeUnapproved(circumstances, approval, people, pushers, aside)];
  });
}

function describeUnapproved(
  { policy, release }: Circumstances,
  { role, count }: RequiredApproval,
  people: ReadonlySet<string>,
  pushers: ReadonlySet<string>,
  aside: Aside,
): Missing {
  const others = membersOf(policy, role).filter((id) => !people.has(id) && !pushers.has(id));
  return {
    need: 'approval',
    about: role,
    message: `${count} of the role ${role} must approve this digest, of those who did not push it; ${people.size} did${aside}`,
    waitsFor: others,
    satisfiedBy: `weighhouse approve ${release}`,
    ...aside.member,
  };
}

const PUSHED: Why = { reason: 'pushed', message: 'its signer pushed this' };
const COUNTED: Why = { reason: 'counted', message: 'its signer counts once' };

/** Approvals by people who had that role which do not count, or not once more. */
function uncounted(
  circumstances: Circumstances,
  { approvals, idle }: Docket,
  pushers: ReadonlySet<string>,
  { role }: RequiredApproval,
  aside: Aside,
): Aside {
  const counted = new Set<string>();
  const theirs = [...approvals, ...idle.filter((each) => each.statement.decision === 'approve')];
  for (const each of new Set<OpenedDecision>(theirs)) {
    if (!hadRole(each, role)) continue;
    const person = personOf(each);
    const why =
      whyItPermitsNothing(circumstances, each, role) ??
      (pushers.has(person) ? PUSHED : counted.has(person) ? COUNTED : undefined);
    if (why === undefined) counted.add(person);
    else aside.add(each, why);
  }
  return aside;
}

// ------------------------------------------------------------------ what does not count

/**
 * Every approval and evaluation that does not count for what it was meant for, whether that is
 * met by others or not.
 */
export function notCounted(circumstances: Circumstances, docket: Docket): NotCounted[] {
  const { approvals = [], evaluations = [] } = circumstances.policy.gate;
  const pushers = pushersOf(docket);
  const of = (about: string, fill: (aside: Aside) => Aside): NotCounted[] => {
    const { passedOver = [] } = fill(new Aside(Number.POSITIVE_INFINITY)).member;
    return passedOver.map((each) => ({ ...each, about }));
  };
  return [
    ...evaluations.flatMap((suite) => {
      const made = [...(docket.evaluations.get(suite.suite) ?? []), ...idleOf(docket, suite)];
      return of(suite.suite, (aside) => unaccepted(circumstances, suite, made, aside));
    }),
    ...approvals.flatMap((approval) =>
      of(approval.role, (aside) => uncounted(circumstances, docket, pushers, approval, aside)),
    ),
  ];
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
  const why = whyItPermitsNothing(circumstances, intent, 'release-manager');
  return why && `the signed intent to publish does not count: ${why.message}; sign it anew`;
}
