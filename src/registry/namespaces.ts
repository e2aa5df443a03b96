/**
 * Namespaces: how one begins, and what its policy is. The first entry names at least one
 * owner's key, is signed by the owners and countersigned by the registry; there is never a
 * second first, and names are never recycled.
 */
import { equal } from '../core/bytes.ts';
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { type EntryOf, formatEntry, parseEntry } from '../core/log/entry.ts';
import { beginHead } from '../core/log/grow-head.ts';
import { type Namespace, parseNamespace, skeleton } from '../core/release/name.ts';
import {
  keysOf,
  POLICY_PAYLOAD_TYPE,
  type Policy,
  parsePolicy,
  personWithKey,
} from '../core/release/policy.ts';
import {
  type Envelope,
  formatEnvelope,
  openEnvelope,
  parseEnvelope,
  toSign,
} from '../core/statement/dsse.ts';
import { parseSpkiBase64 } from '../core/statement/public-key.ts';
import type { Item, StagedDocument, View } from '../log/item.ts';
import { keys } from '../store/keys.ts';
import { requireOperator } from './access.ts';
import { load } from './documents/form.ts';
import { headsForm } from './documents/heads.ts';
import { type NamespaceRecord, namespaceForm, skeletonForm } from './documents/namespace.ts';
import type { RegistryParts } from './parts.ts';
import type { Caller, Registry } from './registry.ts';
import { Statements } from './statements.ts';

/** Envelopes that one request may bring: more owners than that need not sign a first policy. */
const MAX_SIGNED = 64;

/**
 * Namespaces of a registry. Each commit that changes one writes the `heads` document anew, in
 * which all of them stand: with this many, all of the longest names, it is as large as a
 * document may be. Those that one batch begins on top are few, and have room there too.
 */
export const MAX_NAMESPACES = 100_000;

type Creation = Parameters<Registry['createNamespace']>[1];

export class Namespaces {
  readonly #parts: RegistryParts;
  readonly #statements: Statements;

  constructor(parts: RegistryParts) {
    this.#parts = parts;
    this.#statements = new Statements(parts);
  }

  /** Begins a namespace. The same policy again is answered with the same index. */
  async create(caller: Caller, request: Creation) {
    requireOperator(caller);
    const policy = this.#openFirstPolicy(request.policy);
    const namespace = parseNamespace(policy.namespace);
    await this.#requireQuorum(policy, request);
    const digest = await this.#statements.put(request.policy);

    const known = await this.find(namespace);
    if (known?.policy.digest === digest) return { namespace, index: known.head.policy };
    if (known !== undefined) throw taken(namespace);
    const policyAndSigned = { digest, signed: await this.#countersign(request) };
    const item = this.#item(namespace, policyAndSigned, request.override);
    const { index } = await this.#parts.log.append(item);
    return { namespace, index };
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

  /** Its policy in force. */
  async policyOf(record: NamespaceRecord): Promise<Policy> {
    return parsePolicy(await this.#statements.get(record.policy.digest));
  }

  /** The policy in force, or the one logged at `at`: exact bytes and envelopes. */
  async policy(namespace: Namespace, at?: number) {
    const index = at ?? (await this.get(namespace)).head.policy;
    const entry = await this.#policyEntry(namespace, index);
    const signed = entry.signed.map((digest) => this.#statements.get(digest));
    return {
      index,
      policy: await this.#statements.get(entry.policy),
      signed: await Promise.all(signed),
    };
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

  /** Throws `signature-invalid` unless enough distinct owners signed exactly this policy. */
  async #requireQuorum(policy: Policy, { policy: bytes, signed }: Creation): Promise<void> {
    if (signed.length > MAX_SIGNED) {
      throw new CodedError('too-large', `at most ${MAX_SIGNED} envelopes may come with a policy`);
    }
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
    for (const key of keysOf(policy, 'owner')) {
      const opened = await openEnvelope(this.#parts.host, envelope, parseSpkiBase64(key));
      if (opened.ok) return personWithKey(policy, key)!;
    }
    throw new CodedError('signature-invalid', `${what} is not signed by an owner of the policy`);
  }

  /** Stores the owners' envelopes and one by the registry; their digests, the registry's last. */
  async #countersign({ policy, signed }: Creation): Promise<Digest[]> {
    const { releaseKey } = this.#parts;
    const signature = await releaseKey.sign(toSign(POLICY_PAYLOAD_TYPE, policy));
    const ours = formatEnvelope(POLICY_PAYLOAD_TYPE, policy, signature);
    return Promise.all([...signed, ours].map((envelope) => this.#statements.put(envelope)));
  }

  #item(namespace: Namespace, policy: NamespaceRecord['policy'], override: boolean): Item {
    const time = new Date(this.#parts.clock()).toISOString();
    const { digest, signed } = policy;
    const entry = { v: 1, kind: 'namespace', time, namespace, policy: digest, signed } as const;
    return {
      guard: (view) => this.#guard(view, namespace, override),
      entries: async (view) => {
        const twin = await readTwin(view, namespace);
        return [formatEntry(twin === undefined ? entry : { ...entry, override: 'skeleton' })];
      },
      documents: (view) => beginDocuments(view, namespace, policy),
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
  policy: NamespaceRecord['policy'],
): Promise<StagedDocument[]> {
  const { index } = view;
  const head = beginHead(namespace, index);
  const record = namespaceForm.format({ v: 1, index, head, policy, statements: [] });
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
