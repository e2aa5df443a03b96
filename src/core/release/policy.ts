/**
 * The policy of a namespace: who its people are, which keys they sign with, what they may
 * do, and what a release must meet. Canonical JSON, versioned, signed by the owners (and,
 * the first time, by the registry); each version is a log entry, and the policy in force at
 * an index is the last one logged before it.
 *
 *     v          1
 *     origin     the registry it is for
 *     namespace  the namespace it is for
 *     version    1, 2, 3 … without gaps
 *     people     [{id, name, keys: [SPKI DER in base64 …]}]
 *     roles      {owner: [id …], publisher: […], …}
 *     owners     how many distinct owners must sign a change of the policy
 *     gate       what a release must meet beyond its content; {} is the solo gate: a token
 *                with the publisher's role, and the digest named
 *     formats    {allow: [format …]}: code-carrying formats that are accepted all the same
 */
import * as v from 'valibot';
import { CodedError } from '../error.ts';
import { formatCanonical, parseCanonical } from '../json.ts';
import { base64, count, parseShape, prose } from '../shape.ts';
import { parseNamespace } from './name.ts';

/** Roles of people in a namespace and of tokens. */
export const ROLES = [
  'owner',
  'publisher',
  'evaluator',
  'reviewer',
  'release-manager',
  'reader',
] as const;
export type Role = (typeof ROLES)[number];

/** The DSSE payload type of a signed policy. */
export const POLICY_PAYLOAD_TYPE = 'application/vnd.weighhouse.policy.v1+json';

/** People in one namespace. */
export const MAX_PEOPLE = 1_000;
/** Keys of one person. */
export const MAX_KEYS = 16;
/** Bytes of one key's SPKI DER; P-256 has 91. */
const MAX_SPKI = 512;

const personId = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be a-z, 0-9, ".", "_", "-", at most 63'),
);
const memberIds = v.exactOptional(v.array(personId));

const policySchema = v.strictObject({
  v: v.literal(1),
  origin: v.pipe(v.string(), v.minLength(1), v.maxLength(253)),
  namespace: v.string(),
  version: v.pipe(count, v.minValue(1)),
  people: v.pipe(
    v.array(
      v.strictObject({
        id: personId,
        name: prose(128),
        keys: v.pipe(v.array(base64(MAX_SPKI)), v.maxLength(MAX_KEYS)),
      }),
    ),
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
  gate: v.strictObject({}),
  formats: v.strictObject({ allow: v.array(v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,32}$/))) }),
});

export type Policy = v.InferOutput<typeof policySchema>;

/** Canonical bytes of a policy that `parsePolicy` accepts. */
export function formatPolicy(policy: Policy): Uint8Array {
  const bytes = formatCanonical(policy);
  parsePolicy(bytes);
  return bytes;
}

/** Parses and checks a policy. Throws `bad-json`, `bad-document`, `bad-name`. */
export function parsePolicy(bytes: Uint8Array): Policy {
  const policy = parseShape(policySchema, parseCanonical(bytes, 'the policy'), 'the policy');
  if (parseNamespace(policy.namespace) !== policy.namespace)
    refuse('namespace is not in its normal form');
  const people = new Set<string>();
  const owners = new Map<string, string>();
  for (const person of policy.people) {
    if (people.has(person.id)) refuse(`the person "${person.id}" stands twice`);
    people.add(person.id);
    for (const key of person.keys) {
      if (owners.has(key)) refuse(`"${person.id}" and "${owners.get(key)}" have the same key`);
      owners.set(key, person.id);
    }
  }
  for (const role of ROLES) refuseStrangers(role, policy.roles[role] ?? [], people);
  if (policy.owners > policy.roles.owner.length) {
    refuse(`${policy.owners} owners must sign, but there are only ${policy.roles.owner.length}`);
  }
  for (const owner of policy.roles.owner) {
    if (personOf(policy, owner).keys.length === 0) refuse(`the owner "${owner}" has no key`);
  }
  return policy;
}

/** The person who signs with the key `spki` (base64 of SPKI DER), or undefined. */
export function personWithKey(policy: Policy, spki: string): string | undefined {
  return policy.people.find((person) => person.keys.includes(spki))?.id;
}

/** The keys (base64 of SPKI DER) of everyone who has `role`. */
export function keysOf(policy: Policy, role: Role): readonly string[] {
  return (policy.roles[role] ?? []).flatMap((id) => personOf(policy, id).keys);
}

/** The policy that `init --namespace` makes: one owner, nobody else's approval. */
export function soloPolicy(
  origin: string,
  namespace: string,
  owner: { id: string; name: string; spki: string },
): Policy {
  return {
    v: 1,
    origin,
    namespace,
    version: 1,
    people: [{ id: owner.id, name: owner.name, keys: [owner.spki] }],
    roles: { owner: [owner.id], publisher: [owner.id], 'release-manager': [owner.id] },
    owners: 1,
    gate: {},
    formats: { allow: [] },
  };
}

function personOf(policy: Policy, id: string): Policy['people'][number] {
  return policy.people.find((person) => person.id === id)!;
}

function refuseStrangers(
  role: Role,
  members: readonly string[],
  people: ReadonlySet<string>,
): void {
  if (new Set(members).size !== members.length) refuse(`roles.${role} names somebody twice`);
  const stranger = members.find((id) => !people.has(id));
  if (stranger !== undefined)
    refuse(`roles.${role} names "${stranger}", who is not among its people`);
}

function refuse(why: string): never {
  throw new CodedError('bad-document', `the policy: ${why}`);
}
