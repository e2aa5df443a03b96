/**
 * What the policies of a namespace say: all versions that the log has, opened, and which of
 * them is in force where. That is never simply the newest one (`core/release/policy-history.ts`).
 */
import type { Namespace } from '../core/release/name.ts';
import { parsePolicy } from '../core/release/policy.ts';
import {
  type LoggedPolicy,
  openPolicyHistory,
  type Place,
  type PolicyHistory,
  policyInForce,
  revokedKeys,
} from '../core/release/policy-history.ts';
import { isGated } from '../core/release/requirements.ts';
import type { Speakers } from '../core/release/signed-by.ts';
import type { View } from '../log/item.ts';
import { type Key, keys } from '../store/keys.ts';
import { type NamespaceRecord, namespaceForm } from './documents/namespace.ts';
import type { RegistryParts } from './parts.ts';
import { Statements } from './statements.ts';

/** Namespaces whose policies are kept opened. */
const KEPT = 1_000;

/** Where documents are read: in a guard's view, or in the store as it is now. */
export type Documents = Pick<View, 'document'>;

/** A namespace’s policies at some point of the log. */
export interface Standing {
  readonly record: NamespaceRecord;
  readonly history: PolicyHistory;
  readonly newest: LoggedPolicy;
  /** Was any of them gated? If not, nothing is ever decided about its drafts. */
  readonly gated: boolean;
}

type Opened = Omit<Standing, 'record'>;

export class PolicyBook {
  readonly #parts: RegistryParts;
  readonly #statements: Statements;
  readonly #opened = new Map<string, Opened>();

  constructor(parts: RegistryParts) {
    this.#parts = parts;
    this.#statements = new Statements(parts);
  }

  /** The policies that `record` names. */
  async open(record: NamespaceRecord): Promise<Standing> {
    // By digest, too: an attempt to commit that failed may have seen another policy there.
    const name = record.policies.map(({ index, digest }) => `${index} ${digest}`).join();
    const opened = this.#opened.get(name) ?? (await this.#open(record));
    this.#opened.delete(name);
    this.#opened.set(name, opened);
    if (this.#opened.size > KEPT) this.#opened.delete(this.#opened.keys().next().value!);
    return { record, ...opened };
  }

  /** The policies of a namespace that is there. */
  async read(from: Documents, namespace: Namespace): Promise<Standing> {
    return this.open(namespaceForm.parse((await from.document(keys.namespace(namespace)))!));
  }

  async #open({ policies }: NamespaceRecord): Promise<Opened> {
    const logged = await Promise.all(
      policies.map(async ({ index, time, digest }) => ({
        index,
        time,
        policy: parsePolicy(await this.#statements.get(digest)),
      })),
    );
    const history = openPolicyHistory(logged);
    const gated = logged.some(({ policy }) => isGated(policy.gate));
    return { history, newest: logged.at(-1)!, gated };
  }

  /** Where an entry would come to stand now, as far as that can be known. */
  present(): Place {
    const { log, clock } = this.#parts;
    return { index: log.committed().size, time: new Date(clock()).toISOString() };
  }
}

/** The store, as it is now. */
export function inStore({ store }: Pick<RegistryParts, 'store'>): Documents {
  return { document: async (key: Key) => (await store.get(key))?.bytes };
}

/** Where the item of a guard stands. */
export function placeOf({ index, time }: View): Place {
  return { index, time: new Date(time).toISOString() };
}

/**
 * That place, or the one behind all that the namespace's record shows to be committed: another
 * server may have committed it, of which this one's log knows nothing yet.
 */
export function placeAfter({ record }: Pick<Standing, 'record'>, place: Place): Place {
  return { ...place, index: Math.max(place.index, record.index + 1) };
}

/** The policy in force at that place. */
export function inForceAt(standing: Standing, place: Place): LoggedPolicy {
  // There is one: the first entry of a namespace is its first policy.
  return policyInForce(standing.history, placeAfter(standing, place))!;
}

/** Whose keys speak for the namespace at that place. */
export function speakersAt(standing: Standing, place: Place): Speakers {
  const after = placeAfter(standing, place);
  return {
    policy: inForceAt(standing, after).policy,
    revoked: revokedKeys(standing.history, after.index),
    time: after.time,
  };
}
