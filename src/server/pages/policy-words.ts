/** A policy in sentences: what a namespace asks of its releases, and who its people are. */
import { formatCount, formatSeconds } from '../../core/amounts.ts';
import { membersOf, type Policy } from '../../core/release/policy.ts';
import { describeKey } from '../../core/release/policy-key.ts';
import { isGated, liftingRole, type Stop } from '../../core/release/requirements.ts';
import { ROLES, type Role } from '../../core/release/roles.ts';

const STOPS: readonly (readonly [Stop, string])[] = [
  ['object', 'an objection'],
  ['hold', 'a hold'],
  ['postpone', 'a postponement'],
];

/** What must be so before a release of the namespace can be published. */
export function demandsOf({ gate }: Policy): string[] {
  if (!isGated(gate)) {
    return ['Whoever has a publisher’s token can publish alone; nobody else has to agree.'];
  }
  const { evaluations = [], approvals = [], sealed, notBefore } = gate;
  return [
    ...evaluations.map(({ suite, accept, maxAge }) => {
      const age = maxAge === undefined ? '' : `, not older than ${formatSeconds(maxAge)}`;
      return `An evaluator signs that the suite “${suite}” ${accept.join(' or ')} on exactly these bytes${age}.`;
    }),
    ...approvals.map(({ role, count }) => {
      return `${formatCount(count, 'person')} with the role ${role} approve${count === 1 ? 's' : ''}, none of whom pushed it.`.replace(
        'persons',
        'people',
      );
    }),
    ...(sealed === undefined ? [] : [`It has been sealed for ${formatSeconds(sealed)}.`]),
    ...(notBefore === undefined ? [] : [`It is ${notBefore} or later.`]),
    `Nothing stands against it: ${STOPS.map(([stop, what]) => `${what} is lifted by a ${liftingRole(gate, stop)}`).join(', ')}.`,
    'A release manager signs the publish.',
  ];
}

/** Whose keys are passkeys, and where they sign; empty where nobody's are. */
export function passkeysOf({ people }: Policy): (readonly [label: 'passkeys', names: string])[] {
  const theirs = people.flatMap(({ name, keys }) =>
    keys.flatMap((key) =>
      key.passkey === undefined || key.revoked === true ? [] : `${name}: ${describeKey(key)}`,
    ),
  );
  return theirs.length === 0 ? [] : [['passkeys', theirs.join(', ')]];
}

/** The people of a namespace by their roles; roles that nobody has are left out. */
export function peopleOf(policy: Policy): (readonly [role: Role, names: string])[] {
  const names = new Map(policy.people.map(({ id, name }) => [id, name]));
  return ROLES.flatMap((role) => {
    const members = membersOf(policy, role).map((id) => names.get(id) ?? id);
    return members.length === 0 ? [] : [[role, members.join(', ')] as const];
  });
}
