/**
 * What the policy of a namespace asks of a release: its member `gate`. `{}` is the solo gate,
 * which asks for a token and the digest and for nobody's signature. Any other is *gated*: the
 * sealed draft needs the registry's seal, nobody approves what they pushed, and a release
 * manager signs the intent to publish. On top of that come these members, all optional:
 *
 *     evaluations [{suite, accept, by?, harness?, thresholds?, maxAge?}]  ordered by suite
 *         accept      ["passed"], or ["passed", "warned"]
 *         by          ids of those evaluators who may sign it; all of them without
 *         harness     digest of the program that must have run it
 *         thresholds  digest of the limits that it must have been held against
 *         maxAge      seconds from its commitment to the release
 *     approvals   [{role, count}]  so many distinct people of that role
 *     sealed      seconds from the seal to the release
 *     notBefore   instant
 *     lift        {object?, hold?, postpone?}: in which role somebody lifts what another said
 *
 *     {"approvals":[{"count":2,"role":"reviewer"}],
 *      "evaluations":[{"accept":["passed"],"maxAge":1209600,"suite":"safety"}],
 *      "sealed":86400}
 */
import * as v from 'valibot';
import { count, digest, instant } from '../shape.ts';
import { suiteName } from '../statement/test-result.ts';
import { personId, ROLES, type Role } from './roles.ts';

/** Suites that one policy may require. */
export const MAX_SUITES = 64;
/** Seconds of any wait or age in a policy: ten years. */
export const MAX_SECONDS = 10 * 366 * 24 * 3600;

/** Seconds, as policies have them. */
export const seconds = v.pipe(count, v.maxValue(MAX_SECONDS, `must be at most ${MAX_SECONDS}`));

const wait = v.pipe(seconds, v.minValue(1, 'must be at least 1; leave it out for none'));
const role = v.picklist(ROLES);

const evaluation = v.strictObject({
  suite: suiteName,
  accept: v.union(
    [
      v.strictTuple([v.literal('passed')]),
      v.strictTuple([v.literal('passed'), v.literal('warned')]),
    ],
    'must be ["passed"] or ["passed","warned"]',
  ),
  by: v.exactOptional(v.pipe(v.array(personId), v.minLength(1))),
  harness: v.exactOptional(digest),
  thresholds: v.exactOptional(digest),
  maxAge: v.exactOptional(wait),
});

const approval = v.strictObject({
  role,
  count: v.pipe(count, v.minValue(1, 'leave the approval out for none')),
});

export const requirementsSchema = v.strictObject({
  evaluations: v.exactOptional(
    v.pipe(v.array(evaluation), v.minLength(1), v.maxLength(MAX_SUITES)),
  ),
  approvals: v.exactOptional(v.pipe(v.array(approval), v.minLength(1))),
  sealed: v.exactOptional(wait),
  notBefore: v.exactOptional(instant),
  lift: v.exactOptional(
    v.strictObject({
      object: v.exactOptional(role),
      hold: v.exactOptional(role),
      postpone: v.exactOptional(role),
    }),
  ),
});

export type Requirements = v.InferOutput<typeof requirementsSchema>;
export type RequiredEvaluation = v.InferOutput<typeof evaluation>;
export type RequiredApproval = v.InferOutput<typeof approval>;

/** What stops a release until it is lifted. */
export type Stop = 'object' | 'hold' | 'postpone';

/** Does the gate ask for more than a token and the digest? */
export function isGated(gate: Requirements): boolean {
  return Object.keys(gate).length > 0;
}

/** In which role somebody lifts what another said. */
export function liftingRole(gate: Requirements, stop: Stop): Role {
  return gate.lift?.[stop] ?? 'release-manager';
}

/**
 * What is wrong with these requirements among such members of roles, or undefined. Who writes
 * `count: 3` for two reviewers should learn it before the release, not at it.
 */
export function faultIn(
  gate: Requirements,
  members: (role: Role) => readonly string[],
): string | undefined {
  if (!isGated(gate)) return undefined;
  if (members('release-manager').length === 0) {
    return 'gate: somebody must be release-manager, who signs the intent to publish';
  }
  return faultInEvaluations(gate, members) ?? faultInApprovals(gate, members);
}

function faultInEvaluations(
  { evaluations = [] }: Requirements,
  members: (role: Role) => readonly string[],
): string | undefined {
  const evaluators = members('evaluator');
  for (const [i, { suite, by }] of evaluations.entries()) {
    const before = evaluations[i - 1]?.suite;
    if (before !== undefined && before >= suite) {
      return `gate.evaluations.${i}: suites must be in order, each once`;
    }
    if (evaluators.length === 0) return `gate.evaluations.${i}: there is no evaluator`;
    if (new Set(by).size !== (by ?? []).length) return `gate.evaluations.${i}.by: somebody twice`;
    const stranger = by?.find((id) => !evaluators.includes(id));
    if (stranger !== undefined) return `gate.evaluations.${i}.by: "${stranger}" is no evaluator`;
  }
  return undefined;
}

function faultInApprovals(
  { approvals = [] }: Requirements,
  members: (role: Role) => readonly string[],
): string | undefined {
  const roles = new Set<Role>();
  for (const { role, count } of approvals) {
    if (roles.has(role)) return `gate.approvals: the role ${role} twice`;
    roles.add(role);
    const there = members(role).length;
    if (count > there) return `gate.approvals: ${count} of the role ${role}, which ${there} have`;
  }
  return undefined;
}
