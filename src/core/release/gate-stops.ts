/**
 * What stops a release until it is lifted, replaced or over: objections, holds, postponements,
 * and commitments that nobody opened, for they could be any of these. No policy can do without;
 * it only says in which role somebody lifts what another said (`requirements.ts`).
 *
 * A lift names the envelope that no longer stands and is logged after it. Whoever said a thing
 * may take it back. Anybody else needs the role, at the lift and at the release, and must not
 * have pushed what is sealed: nobody clears the way for their own work.
 *
 * A person's newer postponement replaces the earlier one, if its key is still good.
 *
 * A withdrawal is for good: nobody lifts it. It takes a role in which one might have published
 * instead, and one person: to give up a release needs no more than not to make it.
 */
import {
  type Circumstances,
  type Docket,
  hadRole,
  type OpenedOf,
  permittingPerson,
  personOf,
  type StopDecision,
  speakerOf,
} from './docket.ts';
import type { Missing } from './missing.ts';
import { membersOf } from './policy.ts';
import { liftingRole } from './requirements.ts';
import { PUBLISHING, TAKING_PART } from './roles.ts';

/** A commitment of which no decision is known. */
export interface UnopenedCommitment {
  readonly index: number;
  readonly label: string;
}

/** What stops the release, in the order of the docket. */
export function missingLifts(
  circumstances: Circumstances,
  docket: Docket,
  pushers: ReadonlySet<string>,
): Missing[] {
  const replaced = newestPostponements(circumstances, docket);
  return docket.stops
    .filter((stop) => TAKING_PART.some((role) => hadRole(stop, role)))
    .filter((stop) => !isOver(circumstances, stop, replaced))
    .filter((stop) => !isLifted(circumstances, docket, pushers, stop))
    .map((stop) => describe(circumstances, stop));
}

/** Withdrawals of what is sealed. */
export function missingRelease({ release }: Circumstances, { withdrawals }: Docket): Missing[] {
  return withdrawals
    .filter((each) => PUBLISHING.some((role) => hadRole(each, role)))
    .map((each) => ({
      need: 'withdrawn',
      message: `${personOf(each)} withdrew it for good, in entry ${each.index}: ${each.statement.reason}`,
      waitsFor: [],
      satisfiedBy: `weighhouse push DIRECTORY ${release.slice(0, release.indexOf('@'))}@ANOTHER-VERSION`,
    }));
}

/** Commitments that must be opened, or voided in public by the owners. */
export function missingOpenings(
  { policy }: Circumstances,
  unopened: readonly UnopenedCommitment[],
): Missing[] {
  return unopened.map(({ index, label }) => ({
    need: 'unopened',
    message: `the commitment at ${index} may be an objection: nobody has opened it`,
    waitsFor: policy.roles.owner,
    satisfiedBy: `weighhouse decide --resume, by whoever made it; or weighhouse void ${policy.namespace} ${label} --reason …, by the owners`,
  }));
}

/** By person, the index of their newest postponement with a key that is still good. */
function newestPostponements(
  circumstances: Circumstances,
  { stops }: Docket,
): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const stop of stops) {
    if (stop.statement.decision !== 'postpone') continue;
    const person = speakerOf(circumstances, stop)?.person;
    if (person === undefined) continue;
    newest.set(person, Math.max(stop.index, newest.get(person) ?? 0));
  }
  return newest;
}

/** A postponement ends at its time, or when the same person names another. */
function isOver(
  { time }: Circumstances,
  stop: StopDecision,
  newest: ReadonlyMap<string, number>,
): boolean {
  if (!isPostponement(stop)) return false;
  if ((newest.get(personOf(stop)) ?? -1) > stop.index) return true;
  const { until } = stop.statement;
  return until !== 'indefinitely' && Date.parse(time) >= Date.parse(until);
}

function isLifted(
  circumstances: Circumstances,
  { lifts }: Docket,
  pushers: ReadonlySet<string>,
  stop: StopDecision,
): boolean {
  const role = liftingRole(circumstances.policy.gate, stop.statement.decision);
  return (lifts.get(stop.digest) ?? []).some((lift) => {
    if (lift.index <= stop.index) return false;
    if (permittingPerson(circumstances, lift) === personOf(stop)) return true;
    const lifter = permittingPerson(circumstances, lift, role);
    return lifter !== undefined && !pushers.has(lifter);
  });
}

function describe({ policy, release }: Circumstances, stop: StopDecision): Missing {
  const who = personOf(stop);
  const role = liftingRole(policy.gate, stop.statement.decision);
  const lift = `weighhouse lift ${release} --decision ${stop.digest} --reason …`;
  const waitsFor = [...new Set([who, ...membersOf(policy, role)])];
  const { reason } = stop.statement;
  if (isPostponement(stop)) {
    const { until } = stop.statement;
    const when = until === 'indefinitely' ? 'until further notice' : `until ${until}`;
    return {
      need: 'postponed',
      message: `${who} postponed it ${when}, in entry ${stop.index}: ${reason}`,
      waitsFor,
      satisfiedBy: until === 'indefinitely' ? lift : until,
    };
  }
  const [need, did] =
    stop.statement.decision === 'object'
      ? (['objection', 'objects to it'] as const)
      : (['hold', 'holds it'] as const);
  const message = `${who} ${did}, in entry ${stop.index}: ${reason}`;
  return { need, message, waitsFor, satisfiedBy: lift };
}

function isPostponement(stop: StopDecision): stop is OpenedOf<'postpone'> {
  return stop.statement.decision === 'postpone';
}
