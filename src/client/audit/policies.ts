/** Reads the policies that the log names, each once, and opens the history of each namespace. */
import type { NamedPolicy } from '../../core/audit/fold.ts';
import { openPolicy, type PolicyDocuments } from '../../core/audit/policies.ts';
import { BoundedMap } from '../../core/bounded-map.ts';
import { parseBase64 } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import {
  type LoggedPolicy,
  openPolicyHistory,
  type PolicyHistory,
} from '../../core/release/policy-history.ts';
import type { TrustRoot } from '../../core/trust/succession.ts';
import { accept } from '../accept.ts';
import type { PublicApi } from '../public-api.ts';
import { readNamed } from './shown.ts';

/** Policies, and histories, that are kept: the rest is read again where it is asked for. */
const KEPT_POLICIES = 256;

interface ShelfParts {
  readonly host: Host;
  readonly api: PublicApi;
  readonly root: TrustRoot;
  readonly signal?: AbortSignal | undefined;
}

export class PolicyShelf {
  readonly #parts: ShelfParts;
  readonly #policies = new BoundedMap<number, Promise<LoggedPolicy>>(KEPT_POLICIES);
  /** The history last asked for of each namespace: that up to its newest policy, nearly always. */
  readonly #histories = new BoundedMap<
    string,
    { readonly length: number; readonly history: Promise<PolicyHistory> }
  >(KEPT_POLICIES);

  constructor(parts: ShelfParts) {
    this.#parts = parts;
  }

  /** The policy at that index and the envelopes over it, as they are served. */
  async read(namespace: string, index: number): Promise<PolicyDocuments> {
    const { api, signal } = this.#parts;
    const what = `the policy of ${namespace} at ${index}`;
    const answer = await readNamed(what, () => api.policy(namespace, index, { signal }));
    if (answer.index !== index) {
      const message = `the registry shows the policy at ${answer.index} for the one at ${index}`;
      throw new CodedError('untrusted', message);
    }
    return { policy: parseBase64(answer.policy), signed: answer.signed.map(parseBase64) };
  }

  /** The history that these policies make, which are all of the namespace up to some place. */
  history(namespace: string, policies: readonly NamedPolicy[]): Promise<PolicyHistory> {
    const known = this.#histories.get(namespace);
    if (known?.length === policies.length) return known.history;
    const history = Promise.all(policies.map((each) => this.policy(namespace, each))).then(
      openPolicyHistory,
    );
    this.#histories.set(namespace, { length: policies.length, history });
    return history;
  }

  /** The policy that the log names there. */
  policy(namespace: string, named: NamedPolicy): Promise<LoggedPolicy> {
    const known = this.#policies.get(named.index);
    if (known !== undefined) return known;
    const policy = this.#open(namespace, named);
    this.#policies.set(named.index, policy);
    return policy;
  }

  async #open(namespace: string, { index, time, digest }: NamedPolicy): Promise<LoggedPolicy> {
    const { host, root } = this.#parts;
    const { policy: bytes } = await this.read(namespace, index);
    const { policy } = accept(openPolicy(host, root, { namespace, digest }, bytes));
    return { index, time, policy };
  }
}
