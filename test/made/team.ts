/**
 * The people of a gated namespace, each with a key of their own, and what they say to a registry
 * that runs: signed, committed and opened as their clients would do it.
 *
 *     const { live, team } = await openGated(world);
 *     const digest = await live.push(team.pat, RELEASE);
 *     await team.decide(live, 'rita', { decision: 'approve' });
 *     await team.publish(live);
 */
import { formatHex, utf8 } from '../../src/core/bytes.ts';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { makeCommitment } from '../../src/core/release/commitment.ts';
import { formatReleaseName, type ReleaseName } from '../../src/core/release/name.ts';
import { formatPolicy, POLICY_PAYLOAD_TYPE, type Policy } from '../../src/core/release/policy.ts';
import type { Requirements } from '../../src/core/release/requirements.ts';
import { formatVoid, VOID_PAYLOAD_TYPE } from '../../src/core/release/void.ts';
import { type Decision, formatDecision } from '../../src/core/statement/decision.ts';
import type { DecisionContext } from '../../src/core/statement/decision-context.ts';
import { formatEnvelope, toSign } from '../../src/core/statement/dsse.ts';
import { IN_TOTO_PAYLOAD_TYPE } from '../../src/core/statement/in-toto.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import type { BlindCommitment } from '../../src/registry/gate-shapes.ts';
import type { Caller, Registry } from '../../src/registry/registry.ts';
import type { Said } from './decisions.ts';
import { enrolled } from './enrolment.ts';
import { ACME, OPERATOR, RELEASE, type World } from './live-registry.ts';
import { ORIGIN } from './model-signature.ts';
import { type MadeKey, makeKey } from './p256.ts';
import type { AnyKey } from './passkey.ts';

export const PEOPLE = ['olga', 'otto', 'pat', 'rita', 'rob', 'eve', 'max'] as const;
export type PersonName = (typeof PEOPLE)[number];

/** One reviewer's approval. */
export const ONE_APPROVAL: Requirements = { approvals: [{ role: 'reviewer', count: 1 }] };

const as = (subject: string, ...roles: Caller['roles']): Caller => ({
  subject,
  roles,
  namespace: ACME,
});

/** A registry that runs, and its clock. */
export interface Running {
  readonly registry: Registry;
  readonly world: { clock(): number };
}

/** A signed decision, and the commitment to it. */
export interface Signed extends BlindCommitment {
  readonly envelope: Uint8Array;
  readonly digest: Digest;
  readonly salt: string;
}

export interface About {
  readonly release?: ReleaseName;
  readonly context?: Partial<DecisionContext>;
  readonly digest?: Digest;
  readonly key?: AnyKey;
  /** Of the commitment. */
  readonly salt?: string;
}

export class Team {
  readonly keys: Readonly<Record<PersonName, MadeKey>>;
  readonly pat = as('pat', 'publisher');
  /** Anybody who decides. */
  readonly member = as('member', 'reviewer');
  readonly #chains = new Map<string, { n: number; previous: Digest | null }>();
  #drawn = 0;

  constructor() {
    const made = PEOPLE.map((name) => [name, makeKey()] as const);
    this.keys = Object.fromEntries(made) as Record<PersonName, MadeKey>;
  }

  policy(gate: Requirements, changes: Partial<Policy> = {}): Policy {
    return {
      v: 1,
      origin: ORIGIN,
      namespace: ACME,
      version: 1,
      people: PEOPLE.map((id) => ({
        id,
        name: id,
        keys: [enrolled(this.keys[id], { person: id })],
      })),
      roles: {
        owner: ['olga', 'otto'],
        publisher: ['pat'],
        reviewer: ['rita', 'rob', 'pat'],
        evaluator: ['eve'],
        'release-manager': ['max'],
      },
      owners: 1,
      delay: 0,
      gate,
      formats: { allow: [] },
      ...changes,
    };
  }

  /** An envelope by a person's key, or by another. */
  sign(
    who: PersonName,
    type: string,
    payload: Uint8Array,
    key: AnyKey = this.keys[who],
  ): Uint8Array {
    return formatEnvelope(type, payload, key.sign(toSign(type, payload)));
  }

  signPolicy(policy: Policy, ...owners: PersonName[]) {
    const bytes = formatPolicy(policy);
    const signed = owners.map((owner) => this.sign(owner, POLICY_PAYLOAD_TYPE, bytes));
    return { namespace: ACME, policy: bytes, signed };
  }

  createNamespace(live: Running, policy: Policy) {
    const change = this.signPolicy(policy, 'olga', 'otto');
    return live.registry.createNamespace(OPERATOR, { ...change, override: false });
  }

  /** What somebody would sign now about the draft as it is sealed. */
  async statement(live: Running, who: PersonName, said: Said, about: About = {}) {
    const { release = RELEASE } = about;
    const status = await live.registry.draftStatus(this.member, release);
    const digest = about.digest ?? status.digest!;
    const chain = this.#chains.get(`${who} ${digest}`) ?? { n: 0, previous: null };
    const time = live.world.clock();
    const context: DecisionContext = {
      origin: ORIGIN,
      release: formatReleaseName(release),
      revision: status.revision,
      ...chain,
      checkpoint: { size: 0, root: digestOf(nodeHost, utf8('')) },
      time: new Date(time).toISOString(),
      expires: new Date(time + 365 * 24 * 3600 * 1000).toISOString(),
      nonce: this.#draw(),
      ...about.context,
    };
    return { ...said, digest, context } as Decision;
  }

  async signed(live: Running, who: PersonName, said: Said, about: About = {}): Promise<Signed> {
    const statement = await this.statement(live, who, said, about);
    const key = about.key ?? this.keys[who];
    const envelope = this.sign(who, IN_TOTO_PAYLOAD_TYPE, formatDecision(statement), key);
    const digest = digestOf(nodeHost, envelope);
    const salt = about.salt ?? this.#draw();
    const { n } = statement.context;
    const opening = { digest: statement.digest, spki: key.spki, n, salt, envelope: digest };
    const chain = { n: n + 1, previous: digest };
    if (said.decision !== 'publish') this.#chains.set(`${who} ${statement.digest}`, chain);
    return { ...makeCommitment(nodeHost, opening), envelope, digest, salt };
  }

  /** Signs, commits and opens a decision. */
  async decide(live: Running, who: PersonName, said: Said, about: About = {}) {
    const signed = await this.signed(live, who, said, about);
    const { index } = await live.registry.commit(this.member, signed);
    return this.open(live, index, signed, about.release);
  }

  /** Opens a commitment that is logged at `index`. */
  open(live: Running, index: number, { salt, envelope }: Signed, release = RELEASE) {
    return live.registry.decide(this.member, release, { index, salt, envelope });
  }

  /** Publishes with max's signed intent. */
  async publish(live: Running, release = RELEASE) {
    const { envelope } = await this.signed(live, 'max', { decision: 'publish' }, { release });
    const { digest } = await live.registry.draftStatus(this.pat, release);
    return live.registry.publish(this.pat, release, digest, envelope);
  }

  async voidLabel(live: Running, label: string, ...owners: PersonName[]) {
    const time = new Date(live.world.clock()).toISOString();
    const said = { v: 1, origin: ORIGIN, namespace: ACME, label, reason: 'Lost', time } as const;
    const payload = formatVoid({ ...said, nonce: this.#draw() });
    const signed = owners.map((owner) => this.sign(owner, VOID_PAYLOAD_TYPE, payload));
    return live.registry.voidLabel(this.member, { namespace: ACME, label, signed });
  }

  /** What the gate lacks, in short. */
  async needs(live: Running, release = RELEASE): Promise<string[]> {
    const { missing } = await live.registry.draftStatus(this.pat, release);
    return missing.map(({ need }) => need);
  }

  /** 32 bytes in hex, others each time. */
  #draw(): string {
    this.#drawn += 1;
    return formatHex(nodeHost.sha256(utf8(`drawn ${this.#drawn}`)));
  }
}

/** A process over a log that has the gated namespace acme. */
export async function openGated(
  world: World,
  gate: Requirements = ONE_APPROVAL,
  changes: Partial<Policy> = {},
) {
  const team = new Team();
  const live = await world.open();
  await team.createNamespace(live, team.policy(gate, changes));
  return { live, team };
}

/** The same, with a draft that pat has pushed and sealed. */
export async function openSealed(world: World) {
  const { live, team } = await openGated(world);
  const digest = await live.push(team.pat, RELEASE);
  return { world, live, team, digest };
}
