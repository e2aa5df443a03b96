/**
 * The policy of a namespace: who its people are, which keys they sign with, what they may
 * do, and what a release must meet. Canonical JSON, versioned, signed by the owners (and,
 * the first time, by the registry). Each version is a log entry; from when on it is in force
 * stands in `policy-history.ts`.
 *
 *     v          1
 *     origin     the registry it is for
 *     namespace  the namespace it is for
 *     version    1, 2, 3 … without gaps
 *     people     [{id, name, keys: [{spki, proof, passkey?, revoked?, expires?}]}], see `policy-key.ts`
 *     roles      {owner: [id …], publisher: […], …}
 *     owners     how many distinct owners must sign a change of the policy
 *     delay      seconds that a looser policy waits before it is in force
 *     gate       what a release must meet beyond its content (`requirements.ts`); {} is the
 *                solo gate: a token with the publisher's role, and the digest named
 *     formats    {allow: [format …]}: code-carrying formats that are accepted all the same
 *     bytes      whose the bytes of its releases are (`readers.ts`); everybody's without it
 */
import * as v from 'valibot';
import { CodedError } from '../error.ts';
import { formatCanonical, parseCanonical } from '../json.ts';
import { count, parseShape, prose } from '../shape.ts';
import { parseNamespace } from './name.ts';
import { keySchema, type PolicyKey } from './policy-key.ts';
import { restrictionSchema } from './readers.ts';
import { faultIn, requirementsSchema, seconds } from './requirements.ts';
import { personId, ROLES, type Role } from './roles.ts';

/** The DSSE payload type of a signed policy. */
export const POLICY_PAYLOAD_TYPE = 'application/vnd.weighhouse.policy.v1+json';

/** People in one namespace. */
export const MAX_PEOPLE = 1_000;
/** Keys of one person. */
export const MAX_KEYS = 16;

const personSchema = v.strictObject({
  id: personId,
  name: prose(128),
  keys: v.pipe(v.array(keySchema), v.maxLength(MAX_KEYS)),
});

const memberIds = v.exactOptional(v.array(personId));

const policySchema = v.strictObject({
  v: v.literal(1),
  origin: v.pipe(v.string(), v.minLength(1), v.maxLength(253)),
  namespace: v.string(),
  version: v.pipe(count, v.minValue(1)),
  people: v.pipe(
    v.array(personSchema),
    v.minLength(1, 'a namespace has at least one person'),
    v.maxLength(MAX_PEOPLE),
  ),
  roles: v.strictObject({
    owner: v.pipe(v.array(personId), v.minLength(1, 'a namespace has at least one owner')),
    publisher: memberIds,
    evaluator: memberIds,
    reviewer: memberIds,
    'release-manager': memberIds,
    reader: memberIds,
  }),
  owners: v.pipe(count, v.minValue(1, 'at least one owner must sign')),
  delay: seconds,
  gate: requirementsSchema,
  formats: v.strictObject({ allow: v.array(v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,32}$/))) }),
  bytes: v.exactOptional(restrictionSchema),
});

export type Policy = v.InferOutput<typeof policySchema>;
export type Person = Policy['people'][number];

/** Canonical bytes of a policy that `parsePolicy` accepts. */
export function formatPolicy(policy: Policy): Uint8Array {
  const bytes = formatCanonical(policy);
  parsePolicy(bytes);
  return bytes;
}

/**
 * Parses and checks a policy, all but the proofs of its keys, which `checkEnrolments` does.
 * Throws `bad-json`, `bad-document`, `bad-name`.
 */
export function parsePolicy(bytes: Uint8Array): Policy {
  const policy = parseShape(policySchema, parseCanonical(bytes, 'the policy'), 'the policy');
  if (parseNamespace(policy.namespace) !== policy.namespace)
    refuse('namespace is not in its normal form');
  const people = readPeople(policy);
  for (const role of ROLES) refuseStrangers(role, membersOf(policy, role), people);
  if (policy.owners > policy.roles.owner.length) {
    refuse(`${policy.owners} owners must sign, but there are only ${policy.roles.owner.length}`);
  }
  for (const owner of policy.roles.owner) {
    const { keys } = people.get(owner)!;
    const good = keys.filter(({ revoked }) => !revoked);
    if (good.length === 0) refuse(`the owner "${owner}" has no key that is not revoked`);
    // Policies are signed on the command line. A namespace must not lock itself out.
    if (good.every(({ passkey }) => passkey !== undefined)) {
      refuse(`the owner "${owner}" has only passkeys, which sign no policies; enrol a key beside`);
    }
  }
  const why = faultIn(policy.gate, (role) => membersOf(policy, role));
  if (why !== undefined) refuse(why);
  return policy;
}

/** Who has `role`. */
export function membersOf(policy: Policy, role: Role): readonly string[] {
  return policy.roles[role] ?? [];
}

/** Whether a key of a policy still signs at `time`, as far as that policy says. */
export function isUsable({ revoked, expires }: PolicyKey, time: string): boolean {
  return revoked !== true && (expires === undefined || Date.parse(time) < Date.parse(expires));
}

/** The person who signs with the key `spki` (base64 of SPKI DER), usable or not, or undefined. */
export function personWithKey(policy: Policy, spki: string): string | undefined {
  return policy.people.find(({ keys }) => keys.some((key) => key.spki === spki))?.id;
}

/** The keys that are usable at `time`, of everyone who has `role`; of everybody without one. */
export function keysOf(policy: Policy, role: Role | undefined, time: string): readonly PolicyKey[] {
  const members = role === undefined ? undefined : new Set(membersOf(policy, role));
  return policy.people
    .filter(({ id }) => members === undefined || members.has(id))
    .flatMap(({ keys }) => keys.filter((key) => isUsable(key, time)));
}

/** The policy that `init --namespace` makes: one owner, nobody else's approval. */
export function soloPolicy(
  origin: string,
  namespace: string,
  owner: { readonly id: string; readonly name: string; readonly key: PolicyKey },
): Policy {
  return {
    v: 1,
    origin,
    namespace,
    version: 1,
    people: [{ id: owner.id, name: owner.name, keys: [owner.key] }],
    roles: { owner: [owner.id], publisher: [owner.id], 'release-manager': [owner.id] },
    owners: 1,
    delay: 0,
    gate: {},
    formats: { allow: [] },
  };
}

/** People by id. Each stands once, and each key belongs to one person and stands once. */
function readPeople(policy: Policy): ReadonlyMap<string, Person> {
  const people = new Map<string, Person>();
  const holders = new Map<string, string>();
  for (const person of policy.people) {
    if (people.has(person.id)) refuse(`the person "${person.id}" stands twice`);
    people.set(person.id, person);
    for (const { spki } of person.keys) {
      if (holders.has(spki)) refuse(`"${person.id}" and "${holders.get(spki)}" have the same key`);
      holders.set(spki, person.id);
    }
  }
  return people;
}

function refuseStrangers(
  role: Role,
  members: readonly string[],
  people: ReadonlyMap<string, Person>,
): void {
  if (new Set(members).size !== members.length) refuse(`roles.${role} names somebody twice`);
  const stranger = members.find((id) => !people.has(id));
  if (stranger !== undefined)
    refuse(`roles.${role} names "${stranger}", who is not among its people`);
}

function refuse(why: string): never {
  throw new CodedError('bad-document', `the policy: ${why}`);
}
