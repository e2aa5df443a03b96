/**
 * A namespace with a gate in a made registry: its people with their keys, drafts, what is
 * decided about them, and their publication: honestly, or as a registry would do it that was
 * patched to cheat.
 */
import { formatHex, utf8 } from '../../src/core/bytes.ts';
import { type Digest, digestOf, formatDigest } from '../../src/core/digest.ts';
import type { Entry } from '../../src/core/log/entry.ts';
import {
  ANNOUNCEMENT_PAYLOAD_TYPE,
  type Announcement,
  formatAnnouncement,
} from '../../src/core/release/announcement.ts';
import { makeCommitment } from '../../src/core/release/commitment.ts';
import { formatDecisions, type RevealedDecision } from '../../src/core/release/decisions.ts';
import { formatReleaseName } from '../../src/core/release/name.ts';
import { formatPolicy, type Policy } from '../../src/core/release/policy.ts';
import type { Requirements } from '../../src/core/release/requirements.ts';
import { formatVoid, VOID_PAYLOAD_TYPE } from '../../src/core/release/void.ts';
import { type Decision, formatDecision } from '../../src/core/statement/decision.ts';
import type { DecisionContext } from '../../src/core/statement/decision-context.ts';
import { type Envelope, formatEnvelope, parseEnvelope } from '../../src/core/statement/dsse.ts';
import { IN_TOTO_PAYLOAD_TYPE } from '../../src/core/statement/in-toto.ts';
import { formatGateSummary } from '../../src/core/statement/verdict.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import type { Said } from './decisions.ts';
import { enrolled } from './enrolment.ts';
import { ORIGIN } from './model-signature.ts';
import { type MadeKey, makeKey } from './p256.ts';
import type { AnyKey } from './passkey.ts';
import type { MadeRegistry, NamedInRelease, Prepared } from './registry.ts';

const PEOPLE = ['olga', 'pat', 'rita', 'rob', 'ron', 'eve', 'max'] as const;
const NONCE = '00'.repeat(32);
/** Seconds until a decision expires, unless a test says otherwise. */
const LIFETIME = 365 * 24 * 3600;

/** How a decision is made otherwise than it should be. */
export interface Saying {
  /** Signs in place of the person's first key. */
  readonly key?: AnyKey;
  readonly digest?: Digest;
  readonly context?: Partial<DecisionContext>;
  /** Seconds until it expires. */
  readonly lifetime?: number;
  /** Signs without a word in the log; `index` is where the registry says that it was. */
  readonly pretended?: number;
}

export interface MadeDecision extends RevealedDecision {
  readonly digest: Digest;
  readonly statement: Decision;
}

/** What a patched registry does otherwise when it publishes. */
export interface Cheat {
  readonly show?: (decisions: readonly MadeDecision[]) => readonly MadeDecision[];
  readonly intent?: (draft: GatedDraft) => Envelope | undefined;
  readonly inputs?: (digests: readonly Digest[]) => readonly Digest[];
  readonly verdictKey?: MadeKey;
  readonly named?: NamedInRelease;
}

export class GatedNamespace {
  readonly made: MadeRegistry;
  readonly namespace: string;
  /** The first is that of most signatures; rita has a second one. */
  readonly keys = new Map<string, readonly MadeKey[]>();
  policy: Policy;
  policyIndex: number;
  /** By digest and key, the last envelope and how many there were. */
  readonly chains = new Map<string, { readonly n: number; readonly last: Digest | null }>();

  constructor(
    made: MadeRegistry,
    namespace: string,
    gate: Requirements,
    changes: Partial<Policy> = {},
  ) {
    this.made = made;
    this.namespace = namespace;
    for (const id of PEOPLE) {
      this.keys.set(id, Array.from({ length: id === 'rita' ? 2 : 1 }, makeKey));
    }
    const people = PEOPLE.map((id) => {
      const keys = this.keys.get(id)!.map((key) => enrolled(key, { namespace, person: id }));
      return { id, name: id, keys };
    });
    this.policy = {
      v: 1,
      origin: ORIGIN,
      namespace,
      version: 1,
      people,
      roles: {
        owner: ['olga'],
        publisher: ['pat'],
        reviewer: ['rita', 'rob', 'ron'],
        evaluator: ['eve'],
        'release-manager': ['max'],
      },
      owners: 1,
      delay: 3600,
      gate,
      formats: { allow: [] },
      ...changes,
    };
    const owners = this.policy.roles.owner.map((id) => this.keys.get(id)![0]!);
    this.policyIndex = made.namespace(namespace, formatPolicy(this.policy), owners);
  }

  /** Logs the next policy, signed by olga or by others. */
  setPolicy(changes: Partial<Policy>, signers: readonly string[] = ['olga']): number {
    this.policy = { ...this.policy, ...changes, version: this.policy.version + 1 };
    const keys = signers.map((id) => this.keys.get(id)![0]!);
    this.policyIndex = this.made.policy(this.namespace, formatPolicy(this.policy), keys);
    return this.policyIndex;
  }

  /** The people, with the first key of one of them revoked. */
  revoking(id: string): Policy['people'] {
    return this.policy.people.map((person) => {
      if (person.id !== id) return person;
      const [first, ...others] = person.keys;
      return { ...person, keys: [{ ...first!, revoked: true as const }, ...others] };
    });
  }

  /** The people, with one more key for one of them. */
  enrolling(id: string, key: AnyKey): Policy['people'] {
    const { namespace } = this;
    return this.policy.people.map((person) =>
      person.id === id
        ? { ...person, keys: [...person.keys, enrolled(key, { namespace, person: id })] }
        : person,
    );
  }

  draft(name: string, content: string, former: Digest[] = []): GatedDraft {
    const files = { 'w.bin': utf8(content) };
    const reference = `${this.namespace}/${name}`;
    return new GatedDraft(this, this.made.prepare(reference, files, {}, former));
  }

  announce(announcement: Pick<Announcement, 'release' | 'announcement' | 'date'>, who = 'max') {
    const { made } = this;
    const time = new Date(made.now).toISOString();
    const said = formatAnnouncement({ v: 1, origin: ORIGIN, ...announcement, time, nonce: NONCE });
    const envelope = made.sign(this.keys.get(who)![0]!, ANNOUNCEMENT_PAYLOAD_TYPE, said);
    const entry = { kind: 'announcement', ...announcement, statement: made.keep(envelope) };
    return made.log(entry as unknown as Entry);
  }

  /** The owners say that a commitment no longer counts. */
  void(label: string, who: readonly string[] = ['olga']): number {
    const { made, namespace } = this;
    const time = new Date(made.now).toISOString();
    const reason = 'Its signer has lost the receipt';
    const said = formatVoid({ v: 1, origin: ORIGIN, namespace, label, reason, time, nonce: NONCE });
    const signed = who.map((id) =>
      made.keep(made.sign(this.keys.get(id)![0]!, VOID_PAYLOAD_TYPE, said)),
    );
    const entry = { kind: 'void', namespace, label, statement: made.keep(said), signed };
    return made.log(entry as unknown as Entry);
  }
}

export class GatedDraft {
  readonly space: GatedNamespace;
  readonly prepared: Prepared;
  /** All that was said and logged, in that order. */
  readonly decisions: MadeDecision[] = [];

  constructor(space: GatedNamespace, prepared: Prepared) {
    this.space = space;
    this.prepared = prepared;
  }

  get digest(): Digest {
    return this.prepared.digest;
  }

  get reference(): string {
    return formatReleaseName(this.prepared.release);
  }

  /** Somebody decides something: signed, committed and logged. */
  say(who: string, said: Said, saying: Saying = {}): MadeDecision {
    const { made } = this.space;
    const key = saying.key ?? this.#keyOf(who);
    const { envelope, statement } = this.sign(who, said, saying);
    const { payloadType, payload, signature } = envelope;
    const digest = digestOf(nodeHost, formatEnvelope(payloadType, payload, signature));
    const { n } = statement.context;
    const salt = formatHex(nodeHost.sha256(utf8(`salt of ${digest}`)));
    const opening = { digest: statement.digest, spki: key.spki, n, salt, envelope: digest };
    const commitment = makeCommitment(nodeHost, opening);
    const index =
      saying.pretended ?? made.log({ kind: 'commitment', ...commitment } as unknown as Entry);
    this.space.chains.set(chainOf(statement.digest, key), { n: n + 1, last: digest });
    const decision = { index, label: commitment.label, salt, envelope, digest, statement };
    this.decisions.push(decision);
    return decision;
  }

  /** Signs without a commitment: the intent to publish. */
  sign(who: string, said: Said, { key, digest, context, lifetime }: Saying = {}) {
    const { made, chains } = this.space;
    const signer = key ?? this.#keyOf(who);
    const about = digest ?? this.digest;
    const { n, last } = chains.get(chainOf(about, signer)) ?? { n: 0, last: null };
    const statement = {
      ...said,
      digest: about,
      context: {
        origin: ORIGIN,
        release: this.reference,
        revision: this.revision,
        n,
        previous: last,
        checkpoint: { size: made.head.size, root: formatDigest(made.head.root) },
        time: new Date(made.now).toISOString(),
        expires: new Date(made.now + (lifetime ?? LIFETIME) * 1000).toISOString(),
        nonce: NONCE,
        ...context,
      },
    } as Decision;
    const bytes = made.sign(signer, IN_TOTO_PAYLOAD_TYPE, formatDecision(statement));
    return { envelope: parseEnvelope(bytes, 'the decision'), statement };
  }

  get revision(): number {
    return JSON.parse(new TextDecoder().decode(this.prepared.manifest)).draft.revision;
  }

  seal(pushers: readonly string[] = ['pat']): MadeDecision {
    return this.say('registry', { decision: 'seal', pushers });
  }

  approve(who: string, saying: Saying = {}): MadeDecision {
    return this.say(who, { decision: 'approve' }, saying);
  }

  evaluate(
    suite: string,
    result: 'passed' | 'warned' | 'failed' = 'passed',
    saying: Saying = {},
  ): MadeDecision {
    const report = { digest: digestOf(nodeHost, utf8('report')), size: 6 };
    return this.say('eve', { decision: 'evaluate', suite, result, report }, saying);
  }

  stop(who: string, decision: 'object' | 'hold', saying: Saying = {}): MadeDecision {
    return this.say(who, { decision, reason: 'Wait' }, saying);
  }

  lift(who: string, { digest: lifts }: MadeDecision, saying: Saying = {}): MadeDecision {
    return this.say(who, { decision: 'lift', lifts, reason: 'Solved' }, saying);
  }

  /** The release manager's intent. */
  intent(): Envelope {
    return this.sign('max', { decision: 'publish' }).envelope;
  }

  /** Publishes what was decided, with `more` on former revisions; answers the entry's index. */
  publish(cheat: Cheat = {}, more: readonly MadeDecision[] = []): number {
    const { made } = this.space;
    const all = [...more, ...this.decisions].sort((a, b) => a.index - b.index);
    const shown = cheat.show?.(all) ?? all;
    const decisions = made.keep(
      formatDecisions({
        release: this.reference,
        digest: this.digest,
        decisions: shown.map(({ index, label, salt, envelope }) => ({
          ...{ index, label, salt, envelope },
        })),
      }),
    );
    const envelope = cheat.intent === undefined ? this.intent() : cheat.intent(this);
    const intent = envelope && made.keep(bytesOf(envelope));
    const inputs = [...shown.map(({ digest }) => digest), ...(intent ? [intent] : [])];
    const verdict = this.#verdict(cheat, cheat.inputs?.(inputs) ?? inputs);
    const named = { decisions, verdict, ...(intent && { intent }), ...cheat.named };
    return made.release(this.prepared, named);
  }

  #verdict({ verdictKey, named = {} }: Cheat, inputs: readonly Digest[]): Digest {
    const { made, policy, policyIndex } = this.space;
    const summary = formatGateSummary({
      origin: ORIGIN,
      release: this.prepared.release,
      digest: this.digest,
      policy: {
        index: named.policy ?? policyIndex,
        digest: digestOf(nodeHost, formatPolicy(policy)),
      },
      time: new Date(made.now).toISOString(),
      inputs,
    });
    return made.keep(made.sign(verdictKey ?? made.releaseKey, IN_TOTO_PAYLOAD_TYPE, summary));
  }

  #keyOf(who: string): MadeKey {
    return who === 'registry' ? this.space.made.releaseKey : this.space.keys.get(who)![0]!;
  }
}

function bytesOf({ payloadType, payload, signature }: Envelope): Uint8Array {
  return formatEnvelope(payloadType, payload, signature);
}

function chainOf(digest: Digest, { spki }: AnyKey): string {
  return `${digest} ${formatHex(spki)}`;
}
