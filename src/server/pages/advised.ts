/** Who signed an advisory: somebody of the namespace, by the policy that was in force where it stands in the log. */
import { BoundedMap } from '../../core/bounded-map.ts';
import { advisingRole } from '../../core/release/advisory.ts';
import type { Namespace } from '../../core/release/name.ts';
import { type Policy, parsePolicy } from '../../core/release/policy.ts';
import {
  openPolicyHistory,
  type Place,
  type PolicyHistory,
  policyInForce,
  revokedKeys,
} from '../../core/release/policy-history.ts';
import { personWhoSigned } from '../../core/release/signed-by.ts';
import { parseEnvelope } from '../../core/statement/dsse.ts';
import type { Checking } from '../../core/statement/signature.ts';
import type { AdvisedRelease } from '../../index/catalogue.ts';
import type { Registry } from '../../registry/registry.ts';

/** Advisories of which it is kept who signed them: that never changes. */
const KEPT = 1_000;

/** A person of a namespace, and what makes it theirs to say. */
export interface Signatory {
  readonly name: string;
  /** The role in which they signed, where it takes one. */
  readonly role: string | undefined;
}

type Policies = Pick<Registry, 'policies' | 'policy' | 'advisory'>;

export class Signatories {
  readonly #registry: Policies;
  readonly #host: Checking;
  readonly #known = new BoundedMap<number, Signatory>(KEPT);

  constructor(registry: Policies, host: Checking) {
    this.#registry = registry;
    this.#host = host;
  }

  /** Undefined where no key of the namespace fits: an audit reports that. */
  async of({ index, time, kind, release }: AdvisedRelease): Promise<Signatory | undefined> {
    const known = this.#known.get(index);
    if (known !== undefined) return known;
    const [history, envelope] = await Promise.all([
      this.#historyOf(release.namespace, index),
      this.#registry.advisory(index),
    ]);
    const policy = policyInForce(history, { index, time })?.policy;
    if (policy === undefined) return undefined;
    const role = advisingRole(kind);
    const speakers = { policy, revoked: revokedKeys(history, index), time };
    const signed = parseEnvelope(envelope, 'the advisory');
    const person = await personWhoSigned(this.#host, speakers, role, signed);
    if (person === undefined) return undefined;
    const signatory = { name: nameOf(policy, person), role };
    this.#known.set(index, signatory);
    return signatory;
  }

  /** The policies that were logged before `index`. */
  async #historyOf(namespace: Namespace, index: Place['index']): Promise<PolicyHistory> {
    const versions = await this.#registry.policies(namespace);
    const before = versions.filter((version) => version.index < index);
    const logged = await Promise.all(
      before.map(async (version) => {
        const { policy } = await this.#registry.policy(namespace, version.index);
        return { index: version.index, time: version.time, policy: parsePolicy(policy) };
      }),
    );
    return openPolicyHistory(logged);
  }
}

function nameOf({ people }: Policy, person: string): string {
  return people.find(({ id }) => id === person)?.name ?? person;
}
