/** What somebody may say about a draft, by the policy in force. The registry decides; this only asks. */
import type { DraftStatus } from '../../client/answers.ts';
import { membersOf, type Policy } from '../../core/release/policy.ts';
import { isGated, liftingRole, type Stop } from '../../core/release/requirements.ts';
import { PUBLISHING, ROLES, type Role, TAKING_PART } from '../../core/release/roles.ts';

export type Choice =
  | 'evaluate'
  | 'approve'
  | 'object'
  | 'hold'
  | 'postpone'
  | 'lift'
  | 'publish'
  | 'withdraw';

/** Something that stands against a release, and that can be lifted. */
export interface Standing {
  /** Digest of its envelope. */
  readonly digest: string;
  readonly words: string;
}

/** The roles of a person. */
export function rolesOf(policy: Policy, person: string): Role[] {
  return ROLES.filter((role) => membersOf(policy, role).includes(person));
}

/** What the person may say, in the order in which it is offered. */
export function choicesOf(policy: Policy, person: string, status: DraftStatus): Choice[] {
  const roles = rolesOf(policy, person);
  const { approvals = [] } = policy.gate;
  const lacks = status.missing.filter(({ need }) => need !== 'intent');
  const publishes = roles.some((role) => PUBLISHING.includes(role));
  return [
    ...(roles.includes('evaluator') ? (['evaluate'] as const) : []),
    ...(approvals.some(({ role }) => roles.includes(role)) ? (['approve'] as const) : []),
    ...(roles.some((role) => TAKING_PART.includes(role))
      ? (['object', 'hold', 'postpone'] as const)
      : []),
    ...(liftable(policy, person, status).length > 0 ? (['lift'] as const) : []),
    ...(roles.includes('release-manager') && lacks.length === 0 ? (['publish'] as const) : []),
    // Elsewhere a token is enough, and the page has a form for it.
    ...(publishes && isGated(policy.gate) ? (['withdraw'] as const) : []),
  ];
}

/** What stands against the release that the person may lift: their own, and what their role may. */
export function liftable(
  policy: Policy,
  person: string,
  { decisions }: Pick<DraftStatus, 'decisions'>,
): Standing[] {
  const roles = rolesOf(policy, person);
  const lifted = decisions
    .filter(({ decision }) => decision === 'lift')
    .flatMap(({ detail }) => /sha256:[0-9a-f]{64}/.exec(detail)?.[0] ?? []);
  return decisions
    .filter(({ decision, digest, person: theirs }) => {
      if (!isStop(decision) || lifted.includes(digest)) return false;
      return theirs === person || roles.includes(liftingRole(policy.gate, decision));
    })
    .map(({ digest, decision, person: theirs, detail }) => {
      return { digest, words: `${decision} by ${theirs}: ${detail}` };
    });
}

function isStop(decision: string): decision is Stop {
  return decision === 'object' || decision === 'hold' || decision === 'postpone';
}
