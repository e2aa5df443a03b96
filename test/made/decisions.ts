/**
 * Decisions for tests of the gate: a namespace with its people, what they say about one sealed
 * draft, and the question whether it may be released. Nothing is signed; what is signed is
 * tested where decisions are opened.
 */
import { formatBase64, utf8 } from '../../src/core/bytes.ts';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import {
  type GateRequest,
  type GateVerdict,
  NOTHING_DECIDED,
  passGate,
} from '../../src/core/release/gate.ts';
import type { Need } from '../../src/core/release/missing.ts';
import type { OpenedDecision, OpenedStatement } from '../../src/core/release/opened-decision.ts';
import type { Person, Policy } from '../../src/core/release/policy.ts';
import { holdersOf } from '../../src/core/release/policy-history.ts';
import type { PolicyKey } from '../../src/core/release/policy-key.ts';
import type { Requirements } from '../../src/core/release/requirements.ts';
import { ROLES, type Role } from '../../src/core/release/roles.ts';
import type { Decision } from '../../src/core/statement/decision.ts';
import type { DecisionContext } from '../../src/core/statement/decision-context.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { ORIGIN } from './model-signature.ts';

export const RELEASE = 'acme/kimi-k2@v1.0';
export const SEALED = digestOf(nodeHost, utf8('sealed'));

const BEGIN = Date.UTC(2026, 1, 1, 12);
const DAY = 24 * 3600 * 1000;

/** So many days after the first entry. */
export const day = (days: number): string => new Date(BEGIN + days * DAY).toISOString();

/** A key that nobody can sign with: the gate never looks at signatures. */
export const fakeKey = (name: string, more: Partial<PolicyKey> = {}): PolicyKey => ({
  spki: formatBase64(utf8(`spki of ${name}`)),
  proof: formatBase64(utf8('proof')),
  ...more,
});

const person = (id: string, keys = [fakeKey(id)]): Person => ({ id, name: id, keys });

/** Six people: olga owns, pat publishes, rita and rob review, eve evaluates, max manages. */
export function policyOf(gate: Requirements, changes: Partial<Policy> = {}): Policy {
  return {
    v: 1,
    origin: ORIGIN,
    namespace: 'acme',
    version: 1,
    people: ['olga', 'pat', 'rita', 'rob', 'eve', 'max'].map((id) => person(id)),
    roles: {
      owner: ['olga'],
      publisher: ['pat'],
      reviewer: ['rita', 'rob'],
      evaluator: ['eve', 'rita'],
      'release-manager': ['max'],
      reader: [],
    },
    owners: 1,
    delay: 0,
    gate,
    formats: { allow: [] },
    ...changes,
  };
}

/** The policy with other keys for one person. */
export function withKeys(policy: Policy, id: string, keys: PolicyKey[]): Policy {
  return { ...policy, people: policy.people.map((it) => (it.id === id ? person(id, keys) : it)) };
}

type Distributive<T> = T extends unknown ? Omit<T, 'digest' | 'context'> : never;
/** What is said, without about what. */
export type Said = Distributive<Decision>;

export interface Circumstance {
  readonly context?: Partial<DecisionContext>;
  readonly digest?: Digest;
  /** The key; else the first one of the person. */
  readonly key?: string;
  /** Roles at the commitment; else those of the policy. */
  readonly roles?: readonly Role[];
  /** Days after the first entry; the index is ten times as many. */
  readonly at?: number;
}

/** Everything that was said about one draft, in the order in which it was said. */
export class Hearing {
  policy: Policy;
  readonly decisions: OpenedDecision[] = [];

  constructor(policy: Policy) {
    this.policy = policy;
  }

  /** Somebody decides something; it is logged as the next entry. */
  say(who: string, said: Said, { at, ...more }: Circumstance = {}): OpenedDecision {
    const index = at === undefined ? this.decisions.length + 1 : at * 10;
    const time = day(at ?? 0);
    const decision = { ...this.statement(who, said, { time, ...more }), index, time };
    this.decisions.push(decision);
    return decision;
  }

  statement(
    who: string,
    said: Said,
    { context, digest = SEALED, key, roles, time = day(0) }: Circumstance & { time?: string } = {},
  ): OpenedStatement {
    const n = this.decisions.length;
    const statement = {
      ...said,
      digest,
      context: {
        origin: ORIGIN,
        release: RELEASE,
        revision: 1,
        n,
        previous: n === 0 ? null : digestOf(nodeHost, utf8('previous')),
        checkpoint: { size: 0, root: digestOf(nodeHost, utf8('')) },
        time,
        expires: day(100),
        nonce: '00'.repeat(32),
        ...context,
      },
    } as Decision;
    const envelope = digestOf(nodeHost, utf8(JSON.stringify([who, n, statement])));
    if (who === 'registry') return { signer: 'registry', digest: envelope, statement };
    const spki = key ?? this.policy.people.find(({ id }) => id === who)!.keys[0]!.spki;
    const held = holdersOf(this.policy).get(spki)?.roles;
    const as = roles ?? held ?? ROLES.filter((role) => this.policy.roles[role]?.includes(who));
    return { signer: { person: who, spki, roles: as }, digest: envelope, statement };
  }

  seal(pushers: readonly string[] = ['pat'], more: Circumstance = {}) {
    return this.say('registry', { decision: 'seal', pushers }, more);
  }

  approve(who: string, more: Circumstance = {}) {
    return this.say(who, { decision: 'approve' }, more);
  }

  stop(who: string, decision: 'object' | 'hold', more: Circumstance = {}) {
    return this.say(who, { decision, reason: 'Wait' }, more);
  }

  postpone(who: string, until: string, more: Circumstance = {}) {
    return this.say(who, { decision: 'postpone', until, reason: 'Wait' }, more);
  }

  lift(who: string, { digest: lifts }: OpenedDecision, more: Circumstance = {}) {
    return this.say(who, { decision: 'lift', lifts, reason: 'Solved' }, more);
  }

  evaluate(
    who: string,
    suite: string,
    result: 'passed' | 'warned' | 'failed' = 'passed',
    more: Circumstance & { harness?: Digest; thresholds?: Digest } = {},
  ) {
    const { harness, thresholds, ...rest } = more;
    const report = { digest: digestOf(nodeHost, utf8('report')), size: 6 };
    const limits = { ...(harness && { harness }), ...(thresholds && { thresholds }) };
    return this.say(who, { decision: 'evaluate', suite, result, report, ...limits }, rest);
  }

  /** Asks the gate, ten days after the first entry and with everything else in order. */
  ask(changes: Partial<GateRequest> = {}): GateVerdict {
    return passGate({
      ...NOTHING_DECIDED,
      policy: this.policy,
      policyIndex: 0,
      release: RELEASE,
      revision: 1,
      sealed: SEALED,
      named: SEALED,
      roles: ['publisher'],
      time: day(10),
      decisions: this.decisions,
      intent: this.statement('max', { decision: 'publish' }),
      ...changes,
    });
  }

  /** What is missing, in short. */
  needs(changes: Partial<GateRequest> = {}): Need[] {
    const verdict = this.ask(changes);
    return verdict.ok ? [] : verdict.missing.map(({ need }) => need);
  }
}
