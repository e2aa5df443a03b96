/**
 * Changes of a policy. They take no role: a token may bring one, but only owners make one, by
 * their signatures, as many of them as the policy in force asks for. When the new version is in
 * force itself, its entry's place in the log decides (`core/release/policy-history.ts`); so the
 * signatures are counted in the guard, where that place is known.
 */
import { equal } from '../core/bytes.ts';
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { type EntryOf, formatEntry } from '../core/log/entry.ts';
import { growHead } from '../core/log/grow-head.ts';
import { checkEnrolments } from '../core/release/enrolment.ts';
import type { Namespace } from '../core/release/name.ts';
import { POLICY_PAYLOAD_TYPE, type Policy, parsePolicy } from '../core/release/policy.ts';
import { TAKING_PART } from '../core/release/roles.ts';
import { personWhoSigned, type Speakers } from '../core/release/signed-by.ts';
import { parseEnvelope } from '../core/statement/dsse.ts';
import type { Item, StagedDocument, View } from '../log/item.ts';
import { keys } from '../store/keys.ts';
import { requireRole } from './access.ts';
import { namespaceForm } from './documents/namespace.ts';
import type { PolicyChange, PolicyLogged, PolicyVersion } from './gate-shapes.ts';
import type { Namespaces } from './namespaces.ts';
import type { RegistryParts } from './parts.ts';
import { inStore, type PolicyBook, placeOf, type Standing, speakersAt } from './policy-book.ts';
import type { Caller } from './registry.ts';
import { requireFew } from './signed.ts';
import { Statements } from './statements.ts';

/** What is stored of a change before it is logged. */
interface StoredChange {
  readonly policy: Policy;
  readonly digest: Digest;
  readonly signed: readonly Digest[];
}

export class PolicyChanges {
  readonly #parts: RegistryParts;
  readonly #namespaces: Namespaces;
  readonly #book: PolicyBook;
  readonly #statements: Statements;

  constructor(parts: RegistryParts, namespaces: Namespaces, book: PolicyBook) {
    this.#parts = parts;
    this.#namespaces = namespaces;
    this.#book = book;
    this.#statements = new Statements(parts);
  }

  /** Logs the next version. The same one again is answered the same. */
  async set(caller: Caller, change: PolicyChange): Promise<PolicyLogged> {
    const { namespace } = change;
    requireRole(caller, namespace, TAKING_PART);
    const policy = this.#open(change);
    const enrolled = await checkEnrolments(this.#parts.host, policy);
    if (!enrolled.ok) throw new CodedError(enrolled.code, enrolled.message, enrolled.evidence);
    const standing = await this.#book.open(await this.#namespaces.get(namespace));
    const digest = await this.#statements.put(change.policy);
    const known = answerOf(standing, digest);
    if (known !== undefined) return known;

    // Looked at before anything of it is stored, and again where it comes to stand.
    await this.#require(standing, change, speakersAt(standing, this.#book.present()), policy);
    const signed = await Promise.all(change.signed.map((each) => this.#statements.put(each)));
    try {
      await this.#parts.log.append(this.#item(change, { policy, digest, signed }));
    } catch (error) {
      const first = answerOf(await this.#standing(namespace), digest);
      if (first === undefined) throw error;
      return first;
    }
    return answerOf(await this.#standing(namespace), digest)!;
  }

  /** Every version that the public log has. */
  async list(namespace: Namespace): Promise<PolicyVersion[]> {
    const { policies } = await this.#namespaces.get(namespace);
    const { size } = await this.#parts.reader.published();
    return policies
      .map(({ index, time, digest }, i) => ({ index, time, digest, version: i + 1 }))
      .filter(({ index }) => index < size);
  }

  #standing(namespace: Namespace): Promise<Standing> {
    return this.#book.read(inStore(this.#parts), namespace);
  }

  #open({ policy: bytes, namespace }: PolicyChange): Policy {
    const policy = parsePolicy(bytes);
    const { origin } = this.#parts;
    if (policy.origin === origin && policy.namespace === namespace) return policy;
    throw new CodedError(
      'bad-document',
      `the policy is for ${policy.namespace} at ${policy.origin}, not for ${namespace} at ${origin}`,
    );
  }

  async #require(
    { newest }: Standing,
    change: PolicyChange,
    speakers: Speakers,
    { version }: Policy,
  ): Promise<void> {
    await this.#requireQuorum(change, speakers);
    const due = newest.policy.version + 1;
    if (version === due) return;
    throw new CodedError('conflict', `the policy has version ${version}, where ${due} follows`, {
      due,
    });
  }

  /** Throws `signature-invalid` unless enough distinct owners signed exactly this policy. */
  async #requireQuorum({ policy, signed }: PolicyChange, speakers: Speakers): Promise<void> {
    requireFew(signed, 'a policy');
    const owners = new Set<string>();
    for (const [i, each] of signed.entries()) {
      const envelope = parseEnvelope(each, `signed.${i}`);
      if (envelope.payloadType !== POLICY_PAYLOAD_TYPE || !equal(envelope.payload, policy)) {
        throw new CodedError('bad-envelope', `signed.${i} is not over this policy`);
      }
      const owner = await personWhoSigned(this.#parts.host, speakers, 'owner', envelope);
      if (owner === undefined) {
        throw new CodedError(
          'signature-invalid',
          `signed.${i} is not signed by an owner of the policy in force`,
        );
      }
      owners.add(owner);
    }
    const { owners: quorum } = speakers.policy;
    if (owners.size >= quorum) return;
    throw new CodedError(
      'signature-invalid',
      `the policy is signed by ${owners.size} owners; the one in force asks for ${quorum}`,
    );
  }

  #item(change: PolicyChange, { policy, digest, signed }: StoredChange): Item {
    const { namespace } = change;
    const entryAt = (view: View): EntryOf<'policy'> => {
      const { time } = placeOf(view);
      return { v: 1, kind: 'policy', time, namespace, policy: digest, signed: [...signed] };
    };
    return {
      guard: async (view) => {
        const standing = await this.#book.read(view, namespace);
        await this.#require(standing, change, speakersAt(standing, placeOf(view)), policy);
      },
      entries: async (view) => [formatEntry(entryAt(view))],
      documents: async (view) => {
        const { record } = await this.#book.read(view, namespace);
        return [grown(record, namespace, entryAt(view), view.index)];
      },
    };
  }
}

function grown(
  record: Standing['record'],
  namespace: Namespace,
  entry: EntryOf<'policy'>,
  index: number,
): StagedDocument {
  const { time, policy: digest, signed } = entry;
  const bytes = namespaceForm.format({
    ...record,
    index,
    head: growHead(record.head, entry, index),
    policies: [...record.policies, { index, time, digest, signed }],
  });
  return { kind: 'newest', key: keys.namespace(namespace), index, bytes };
}

/** What was answered, or is to be, for that policy; undefined when it is not the newest. */
function answerOf({ record, newest, history }: Standing, digest: Digest): PolicyLogged | undefined {
  const last = record.policies.at(-1)!;
  if (last.digest !== digest) return undefined;
  const { index, time } = last;
  const waiting = history.steps.at(-1)?.waiting;
  const inForceAt = waiting === undefined ? time : new Date(waiting.from).toISOString();
  return { index, version: newest.policy.version, inForceAt };
}
