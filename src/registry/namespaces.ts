/**
 * Namespaces: how one begins, and what its policy is. The first entry names at least one
 * owner's key, is signed by the owners and countersigned by the registry; there is never a
 * second first, and names are never recycled.
 */
import { equal } from '../core/bytes.ts';
import type { Digest } from '../core/digest.ts';
import { CodedError, isCoded } from '../core/error.ts';
import { type EntryOf, formatEntry, parseEntry } from '../core/log/entry.ts';
import { beginHead } from '../core/log/grow-head.ts';
import { checkEnrolments } from '../core/release/enrolment.ts';
import {
  type Namespace,
  NEWLY_RESERVED_NAMESPACES,
  parseNamespace,
  skeleton,
} from '../core/release/name.ts';
import { POLICY_PAYLOAD_TYPE, type Policy, parsePolicy } from '../core/release/policy.ts';
import type { LoggedPolicy } from '../core/release/policy-history.ts';
import { personWhoSigned } from '../core/release/signed-by.ts';
import { type Envelope, formatEnvelope, parseEnvelope, toSign } from '../core/statement/dsse.ts';
import type { Item, StagedDocument, View } from '../log/item.ts';
import { keys } from '../store/keys.ts';
import { requireOperator } from './access.ts';
import { load } from './documents/form.ts';
import { headsForm } from './documents/heads.ts';
import { type NamespaceRecord, namespaceForm, skeletonForm } from './documents/namespace.ts';
import type { RegistryParts, ReleaseKey } from './parts.ts';
import { inForceAt, type PolicyBook } from './policy-book.ts';
import type { Caller, Registry } from './registry.ts';
import { isEndedKey, presentReleaseKey, requireReleaseKey } from './release-key.ts';
import { requireFew } from './signed.ts';
import { Statements } from './statements.ts';

/** A policy’s digest, and those of the envelopes over it. */
interface SignedPolicy {
  readonly digest: Digest;
  readonly signed: readonly Digest[];
}

/**
 * Namespaces of a registry. Each commit that changes one writes the `heads` document anew, in
 * which all of them stand: with this many, all of the longest names, it is as large as a
 * document may be. Those that one batch begins on top are few, and have room there too.
 */
export const MAX_NAMESPACES = 100_000;

type Creation = Parameters<Registry['createNamespace']>[1];

export class Namespaces {
  readonly #parts: RegistryParts;
  readonly #book: PolicyBook;
  readonly #statements: Statements;

  constructor(parts: RegistryParts, book: PolicyBook) {
    this.#parts = parts;
    this.#book = book;
    this.#statements = new Statements(parts);
  }

  /** Begins a namespace. The same policy again is answered with the same index. */
  async create(caller: Caller, request: Creation) {
    requireOperator(caller);
    const policy = this.#openFirstPolicy(request.policy);
    const namespace = parseNamespace(policy.namespace);
    await this.#requireEnrolments(policy);
    await this.#requireQuorum(policy, request);
    const digest = await this.#statements.put(request.policy);

    const begun = await this.#begunWith(namespace, digest);
    if (begun !== undefined) return begun;
    if (NEWLY_RESERVED_NAMESPACES.has(namespace)) {
      throw new CodedError('bad-name', `the namespace "${namespace}" is reserved`);
    }
    try {
      return { namespace, index: await this.#begin(namespace, digest, request) };
    } catch (error) {
      // The same request may have come twice, and the other one was first.
      const first = isCoded(error, 'conflict') && (await this.#begunWith(namespace, digest));
      if (first) return first;
      throw error;
    }
  }

  /** The answer when the namespace is there with this policy; undefined when it is not there. Throws `conflict`. */
  async #begunWith(namespace: Namespace, policy: Digest) {
    const known = await this.find(namespace);
    if (known === undefined) return undefined;
    const [first] = known.policies;
    if (first?.digest === policy) return { namespace, index: first.index };
    throw taken(namespace);
  }

  /** Countersigns and logs it; once more, when the release key ended between the two. */
  async #begin(namespace: Namespace, digest: Digest, request: Creation): Promise<number> {
    for (;;) {
      const key = presentReleaseKey(this.#parts);
      const signed = await this.#countersign(request, key);
      const item = this.#item(namespace, { digest, signed }, { ...request, key });
      try {
        return (await this.#parts.log.append(item)).index;
      } catch (error) {
        if (!isEndedKey(error)) throw error;
      }
    }
  }

  /** The namespace, or undefined. */
  async find(namespace: Namespace): Promise<NamespaceRecord | undefined> {
    return (await load(this.#parts.store, keys.namespace(namespace), namespaceForm))?.value;
  }

  /** The namespace. Throws `not-found`. */
  async get(namespace: Namespace): Promise<NamespaceRecord> {
    const found = await this.find(namespace);
    if (found !== undefined) return found;
    throw new CodedError('not-found', `there is no namespace ${namespace}`);
  }

  /** The policy that is in force now. */
  async inForce(namespace: Namespace): Promise<LoggedPolicy> {
    const standing = await this.#book.open(await this.get(namespace));
    return inForceAt(standing, this.#book.present());
  }

  /** The first namespace with the same skeleton, if that is another one: then this one took an override. */
  async lookAlike(namespace: Namespace): Promise<Namespace | undefined> {
    const { store } = this.#parts;
    const first = await load(store, keys.skeleton(skeleton(namespace)), skeletonForm);
    const other = first && parseNamespace(first.value.namespace);
    return other === namespace ? undefined : other;
  }

  /** The policy in force, or the one logged at `at`: exact bytes and envelopes. */
  async policy(namespace: Namespace, at?: number) {
    const index = at ?? (await this.inForce(namespace)).index;
    const entry = await this.#policyEntry(namespace, index);
    const [policy, ...signed] = await Promise.all(
      [entry.policy, ...entry.signed].map((digest) => this.#statements.get(digest)),
    );
    return { index, policy: policy!, signed };
  }

  /** Read from the public log: a policy that still waits for its witnesses is not shown. */
  async #policyEntry(
    namespace: Namespace,
    index: number,
  ): Promise<EntryOf<'namespace'> | EntryOf<'policy'>> {
    const parsed = parseEntry(await this.#parts.reader.entry(index));
    if (parsed.known && (parsed.entry.kind === 'namespace' || parsed.entry.kind === 'policy')) {
      if (parsed.entry.namespace === namespace) return parsed.entry;
    }
    throw new CodedError('not-found', `entry ${index} of the log is no policy of ${namespace}`);
  }

  #openFirstPolicy(bytes: Uint8Array): Policy {
    const policy = parsePolicy(bytes);
    if (policy.origin !== this.#parts.origin) {
      throw new CodedError(
        'bad-document',
        `the policy is for the registry ${policy.origin}; this one is ${this.#parts.origin}`,
      );
    }
    if (policy.version === 1) return policy;
    throw new CodedError('bad-document', 'the first policy of a namespace must have version 1');
  }

  /** Throws `signature-invalid` unless the holder of each key wants it in this policy. */
  async #requireEnrolments(policy: Policy): Promise<void> {
    const enrolled = await checkEnrolments(this.#parts.host, policy);
    if (!enrolled.ok) throw new CodedError(enrolled.code, enrolled.message, enrolled.evidence);
  }

  /** Throws `signature-invalid` unless enough distinct owners signed exactly this policy. */
  async #requireQuorum(policy: Policy, { policy: bytes, signed }: Creation): Promise<void> {
    requireFew(signed, 'a policy');
    const owners = new Set<string>();
    for (const [i, each] of signed.entries()) {
      const envelope = parseEnvelope(each, `signed.${i}`);
      if (envelope.payloadType !== POLICY_PAYLOAD_TYPE || !equal(envelope.payload, bytes)) {
        throw new CodedError('bad-envelope', `signed.${i} is not over this policy`);
      }
      owners.add(await this.#ownerWhoSigned(policy, envelope, `signed.${i}`));
    }
    if (owners.size >= policy.owners) return;
    throw new CodedError(
      'signature-invalid',
      `the policy is signed by ${owners.size} of its owners; it asks for ${policy.owners}`,
    );
  }

  async #ownerWhoSigned(policy: Policy, envelope: Envelope, what: string): Promise<string> {
    const time = new Date(this.#parts.clock()).toISOString();
    const speakers = { policy, revoked: new Set<string>(), time };
    const owner = await personWhoSigned(this.#parts.host, speakers, 'owner', envelope);
    if (owner !== undefined) return owner;
    throw new CodedError('signature-invalid', `${what} is not signed by an owner of the policy`);
  }

  /** Stores the owners' envelopes and one by the registry; their digests, the registry's last. */
  async #countersign({ policy, signed }: Creation, key: ReleaseKey): Promise<Digest[]> {
    const signature = await key.sign(toSign(POLICY_PAYLOAD_TYPE, policy));
    const ours = formatEnvelope(POLICY_PAYLOAD_TYPE, policy, signature);
    return Promise.all([...signed, ours].map((envelope) => this.#statements.put(envelope)));
  }

  #item(
    namespace: Namespace,
    policy: SignedPolicy,
    { override, key }: { readonly override: boolean; readonly key: ReleaseKey },
  ): Item {
    const time = new Date(this.#parts.clock()).toISOString();
    const { digest, signed } = policy;
    const said = { namespace, policy: digest, signed: [...signed] };
    const entry = { v: 1, kind: 'namespace', time, ...said } as const;
    return {
      guard: async (view) => {
        await this.#guard(view, namespace, override);
        await requireReleaseKey(this.#parts, view, key.spki);
      },
      entries: async (view) => {
        const twin = await readTwin(view, namespace);
        return [formatEntry(twin === undefined ? entry : { ...entry, override: 'skeleton' })];
      },
      documents: (view) => beginDocuments(view, namespace, { ...policy, time }),
    };
  }

  async #guard(view: View, namespace: Namespace, override: boolean): Promise<void> {
    if ((await view.document(keys.namespace(namespace))) !== undefined) throw taken(namespace);
    await requireRoom(view);
    const twin = await readTwin(view, namespace);
    if (twin === undefined || override) return;
    throw new CodedError(
      'conflict',
      `${namespace} looks like the namespace ${twin}; it takes the operator’s override`,
      { twin },
    );
  }
}

async function requireRoom(view: View): Promise<void> {
  const bytes = await view.document(keys.heads());
  const count = bytes === undefined ? 0 : Object.keys(headsForm.parse(bytes).leaves).length;
  if (count < MAX_NAMESPACES) return;
  throw new CodedError('too-large', `a registry has at most ${MAX_NAMESPACES} namespaces`, {
    limit: MAX_NAMESPACES,
  });
}

async function beginDocuments(
  view: View,
  namespace: Namespace,
  policy: SignedPolicy & { readonly time: string },
): Promise<StagedDocument[]> {
  const { index } = view;
  const head = beginHead(namespace, index);
  const record = namespaceForm.format({
    v: 1,
    index,
    head,
    policies: [{ ...policy, index, signed: [...policy.signed] }],
    statements: [],
  });
  const begun = { kind: 'newest', key: keys.namespace(namespace), index, bytes: record } as const;
  if ((await readTwin(view, namespace)) !== undefined) return [begun];
  const bytes = skeletonForm.format({ v: 1, namespace });
  return [begun, { kind: 'immutable', key: keys.skeleton(skeleton(namespace)), bytes }];
}

/** The namespace that looks like this one, if there is any. */
async function readTwin(view: View, namespace: Namespace): Promise<string | undefined> {
  const bytes = await view.document(keys.skeleton(skeleton(namespace)));
  return bytes && skeletonForm.parse(bytes).namespace;
}

function taken(namespace: Namespace): CodedError {
  return new CodedError('conflict', `the namespace ${namespace} is there already`, { namespace });
}
