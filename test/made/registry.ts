/**
 * A whole registry in memory, valid by construction: one log with a namespace, releases,
 * advisories and heads, and everything that a server would show of it. Tests change one
 * thing and ask whether it is found.
 */
import { concat, formatHex } from '../../src/core/bytes.ts';
import { type Digest, digestBytes, digestOf } from '../../src/core/digest.ts';
import { signCheckpoint, type TreeHead } from '../../src/core/log/checkpoint.ts';
import { CompactRange } from '../../src/core/log/compact-range.ts';
import {
  type AdvisoryKind,
  type Entry,
  type EntryOf,
  formatEntry,
  parseEntry,
} from '../../src/core/log/entry.ts';
import {
  formatHead,
  type Head,
  headLeaf,
  headsRoot,
  sortedLeaves,
} from '../../src/core/log/heads.ts';
import { leafHash, proveInclusion } from '../../src/core/log/merkle.ts';
import { formatTlogProof } from '../../src/core/log/tlog-proof.ts';
import { noteSigner } from '../../src/core/note/note.ts';
import { ADVISORY_PAYLOAD_TYPE, formatAdvisory } from '../../src/core/release/advisory.ts';
import { chunkRoot, chunkSizeFor } from '../../src/core/release/chunks.ts';
import { formatManifest, type Manifest } from '../../src/core/release/manifest.ts';
import {
  formatReleaseName,
  parseReleaseName,
  type ReleaseName,
} from '../../src/core/release/name.ts';
import { formatPolicy, POLICY_PAYLOAD_TYPE, soloPolicy } from '../../src/core/release/policy.ts';
import { formatBundle, logIdOf } from '../../src/core/statement/bundle.ts';
import { formatEnvelope, toSign } from '../../src/core/statement/dsse.ts';
import { formatHashedRekord, recordOf } from '../../src/core/statement/hashedrekord.ts';
import { IN_TOTO_PAYLOAD_TYPE } from '../../src/core/statement/in-toto.ts';
import { formatModelStatement, modelRoot } from '../../src/core/statement/oms.ts';
import { keyHint } from '../../src/core/statement/public-key.ts';
import { formatReleaseStatement } from '../../src/core/statement/release.ts';
import type { TrustRoot } from '../../src/core/trust/succession.ts';
import type { FreshnessDocuments } from '../../src/core/verify/freshness.ts';
import type { ReleaseDocuments } from '../../src/core/verify/release.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { enrolled } from './enrolment.ts';
import { makeLogKey, ORIGIN } from './model-signature.ts';
import { type MadeKey, makeKey } from './p256.ts';
import type { AnyKey } from './passkey.ts';
import { MadeTree } from './tree.ts';
import { makeRootDocument } from './trust-root.ts';

/** The time of the first entry; each later one is a second younger. */
export const BEGIN = Date.UTC(2026, 1, 1, 12);

/** A sealed draft: all that is signed of it before it is logged. */
export interface Prepared {
  readonly release: ReleaseName;
  readonly manifest: Uint8Array;
  readonly digest: Digest;
  readonly root: Digest;
  readonly releaseDsse: Uint8Array;
  readonly modelEnvelope: { readonly payload: Uint8Array; readonly signature: Uint8Array };
}

/** What a seal finds in the files, where it matters: formats by path, `other` without. */
export interface Found extends Pick<Manifest, 'executes' | 'tensors'> {
  readonly formats?: Readonly<Record<string, string>>;
}

interface Published extends Prepared {
  readonly index: number;
}

/** What a release entry may name beyond its content. */
export type NamedInRelease = Partial<
  Pick<EntryOf<'release'>, 'policy' | 'decisions' | 'verdict' | 'intent'>
>;

export class MadeRegistry {
  readonly owner: MadeKey = makeKey();
  readonly releaseKey: MadeKey = makeKey();
  readonly logKey = makeLogKey();
  readonly root: TrustRoot;
  readonly entries: Uint8Array[] = [];
  /** Documents by digest: policies, envelopes, manifests. */
  readonly statements = new Map<string, Uint8Array>();
  /** Changes what a publish is about to sign: makes a registry that lies under its own keys. */
  forge: (document: Uint8Array) => Uint8Array = (document) => document;
  readonly #heads = new Map<string, Head>();
  readonly #published = new Map<string, Published>();
  /** By root: signing is slow inside the test runner. */
  readonly #checkpoints = new Map<string, Uint8Array>();
  readonly #leafHashes = new WeakMap<Uint8Array, Uint8Array>();
  #tree: MadeTree | undefined;
  readonly #range = CompactRange.empty(nodeHost);
  /** Milliseconds that passed without an entry. */
  #waited = 0;

  constructor() {
    const release = [{ spki: this.releaseKey.spki, from: 0 }];
    this.root = makeRootDocument([makeKey()], { release }) as TrustRoot;
  }

  get now(): number {
    return BEGIN + this.entries.length * 1000 + this.#waited;
  }

  wait(seconds: number): void {
    this.#waited += seconds * 1000;
  }

  /** The log as it is now, for those who say that they saw it: nothing in it was changed since. */
  get head(): TreeHead {
    for (const entry of this.entries.slice(this.#range.size)) {
      this.#range.append(leafHash(nodeHost, entry));
    }
    const { size, root } = this.#range;
    return { size, root };
  }

  /** Logs exact bytes and says at which index. */
  append(bytes: Uint8Array): number {
    return this.entries.push(bytes) - 1;
  }

  log(entry: Omit<Entry, 'v' | 'time'>): number {
    const time = new Date(this.now).toISOString();
    return this.append(formatEntry({ v: 1, time, ...entry } as Entry));
  }

  /** Begins a namespace: with the solo policy, or with another that these owners sign. */
  namespace(
    namespace: string,
    policy = this.#solo(namespace),
    owners: readonly MadeKey[] = [this.owner],
  ): number {
    const signed = [...owners, this.releaseKey].map((key) =>
      this.keep(this.sign(key, POLICY_PAYLOAD_TYPE, policy)),
    );
    const index = this.log({
      kind: 'namespace',
      namespace,
      policy: this.keep(policy),
      signed,
    } as Entry);
    this.#heads.set(namespace, { v: 1, namespace, policy: index, releases: {}, advisories: [] });
    return index;
  }

  #solo(namespace: string): Uint8Array {
    const person = { id: 'owner', name: 'Owner', key: enrolled(this.owner, { namespace }) };
    return formatPolicy(soloPolicy(ORIGIN, namespace, person));
  }

  /** Logs a later policy, signed by these keys. */
  policy(namespace: string, policy: Uint8Array, signers: readonly MadeKey[]): number {
    const signed = signers.map((key) => this.keep(this.sign(key, POLICY_PAYLOAD_TYPE, policy)));
    const named = { kind: 'policy', namespace, policy: this.keep(policy), signed };
    const index = this.log(named as Omit<Entry, 'v' | 'time'>);
    this.#heads.set(namespace, { ...this.#heads.get(namespace)!, policy: index });
    return index;
  }

  /** Publishes files (contents by path); answers the release entry's index. */
  publish(
    reference: string,
    files: Readonly<Record<string, Uint8Array>>,
    found: Found = {},
  ): number {
    return this.release(this.prepare(reference, files, found));
  }

  /** Seals files as a release that is not logged yet, after drafts with `former` digests. */
  prepare(
    reference: string,
    files: Readonly<Record<string, Uint8Array>>,
    { formats = {}, ...found }: Found = {},
    former: Digest[] = [],
  ): Prepared {
    const release = parseReleaseName(reference);
    const listed = Object.entries(files)
      .map(([path, bytes]) => ({ path, bytes, sha256: digestOf(nodeHost, bytes) }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
    const honest = formatManifest({
      v: 1,
      origin: ORIGIN,
      release: reference,
      draft: {
        revision: former.length + 1,
        former,
        nonce: formatHex(nodeHost.sha256(digestBytes(listed[0]!.sha256))),
      },
      files: listed.map(({ path, bytes, sha256 }) => ({
        path,
        size: bytes.length,
        sha256,
        format: formats[path] ?? 'other',
        chunks: {
          size: chunkSizeFor(bytes.length),
          root: chunkRoot(nodeHost, chunkListOf(bytes)),
        },
      })),
      size: listed.reduce((sum, { bytes }) => sum + bytes.length, 0),
      ...found,
    });
    const manifest = this.forge(honest);
    const digest = this.keep(manifest);
    const root = modelRoot(nodeHost, listed);
    const releaseDsse = this.sign(
      this.releaseKey,
      IN_TOTO_PAYLOAD_TYPE,
      formatReleaseStatement({ origin: ORIGIN, release, manifest: digest, root }),
    );
    const payload = this.forge(formatModelStatement(nodeHost, release, listed));
    const signature = this.releaseKey.sign(toSign(IN_TOTO_PAYLOAD_TYPE, payload));
    return { release, manifest, digest, root, releaseDsse, modelEnvelope: { payload, signature } };
  }

  /** Logs a sealed draft as a release, with what its entry names besides; answers its index. */
  release(prepared: Prepared, named: NamedInRelease = {}): number {
    const { release, digest, root, releaseDsse, modelEnvelope } = prepared;
    const reference = formatReleaseName(release);
    const head = this.#heads.get(release.namespace)!;
    const { payload, signature } = modelEnvelope;
    const envelope = { payloadType: IN_TOTO_PAYLOAD_TYPE, payload, signature };
    const record = formatHashedRekord(recordOf(nodeHost, envelope, this.releaseKey.spki));
    const index = this.log({
      kind: 'release',
      release: reference,
      digest,
      root,
      model_sig: this.keep(formatEnvelope(IN_TOTO_PAYLOAD_TYPE, payload, signature)),
      release_dsse: this.keep(releaseDsse),
      record: formatHex(leafHash(nodeHost, record)),
      policy: head.policy,
      ...named,
    } as Entry);
    this.append(record);
    this.#heads.set(release.namespace, {
      ...head,
      releases: { ...head.releases, [release.name]: index },
    });
    this.#published.set(reference, { ...prepared, index });
    return index;
  }

  advise(reference: string, advisory: AdvisoryKind, summary = 'Do not use'): number {
    const { release, manifest } = this.#published.get(reference)!;
    const digest = digestOf(nodeHost, manifest);
    const time = new Date(this.now).toISOString();
    const statement = formatAdvisory({
      v: 1,
      origin: ORIGIN,
      release: reference,
      digest,
      advisory,
      summary,
      time,
      nonce: '0'.repeat(64),
    });
    const envelope = this.keep(this.sign(this.owner, ADVISORY_PAYLOAD_TYPE, statement));
    const index = this.log({
      kind: 'advisory',
      release: reference,
      digest,
      advisory,
      summary,
      statement: envelope,
    } as Entry);
    const head = this.#heads.get(release.namespace)!;
    this.#heads.set(release.namespace, { ...head, advisories: [...head.advisories, index] });
    return index;
  }

  heads(): number {
    const root = headsRoot(nodeHost, this.#headLeaves());
    return this.log({ kind: 'heads', root, namespaces: this.#heads.size } as Entry);
  }

  get leaves(): Uint8Array[] {
    return this.entries.map((entry) => {
      const known = this.#leafHashes.get(entry) ?? leafHash(nodeHost, entry);
      this.#leafHashes.set(entry, known);
      return known;
    });
  }

  /** The tree of the entries as they are now. */
  get tree(): MadeTree {
    const { leaves } = this;
    if (this.#tree?.isOf(leaves) !== true) this.#tree = new MadeTree(leaves);
    return this.#tree;
  }

  checkpoint(): Uint8Array {
    const { size, root } = this.tree;
    const known = this.#checkpoints.get(formatHex(root));
    if (known !== undefined) return known;
    const note = signCheckpoint({ origin: ORIGIN, size, root }, [noteSigner(this.logKey)]);
    this.#checkpoints.set(formatHex(root), note);
    return note;
  }

  proof(index: number): Uint8Array {
    const hashes = this.tree.prove(index);
    return formatTlogProof({ index, hashes, checkpoint: this.checkpoint() });
  }

  /** A document that the entry of a release names. */
  named(reference: string, member: 'decisions' | 'verdict' | 'intent'): Uint8Array | undefined {
    const { index } = this.#published.get(reference)!;
    const parsed = parseEntry(this.entries[index]!);
    const entry = parsed.known ? parsed.entry : undefined;
    const digest = entry?.kind === 'release' ? entry[member] : undefined;
    return digest && this.statements.get(digest);
  }

  documents(reference: string): ReleaseDocuments {
    const { index, manifest, releaseDsse, modelEnvelope } = this.#published.get(reference)!;
    const { tree } = this;
    const envelope = { payloadType: IN_TOTO_PAYLOAD_TYPE, ...modelEnvelope };
    return {
      manifest,
      releaseDsse,
      entry: this.entries[index]!,
      modelSig: formatBundle({
        hint: keyHint(nodeHost, this.releaseKey.spki),
        envelope,
        proof: {
          record: recordOf(nodeHost, envelope, this.releaseKey.spki),
          logId: logIdOf(nodeHost, this.logKey),
          index: index + 1,
          size: tree.size,
          root: tree.root,
          hashes: tree.prove(index + 1),
          checkpoint: new TextDecoder().decode(this.checkpoint()),
        },
      }),
      releaseProof: this.proof(index),
      recordProof: this.proof(index + 1),
    };
  }

  /** As of the heads entry at `index`, which must be the last of its kind. */
  freshness(namespace: string, index: number): FreshnessDocuments {
    const leaves = this.#headLeaves();
    const position = [...leaves.keys()].sort().indexOf(namespace);
    const head = this.#heads.get(namespace)!;
    return {
      entry: this.entries[index]!,
      proof: this.proof(index),
      head: formatHead(head),
      position,
      path: proveInclusion(nodeHost, sortedLeaves(leaves), position),
      advisories: head.advisories.map((at) => ({
        entry: this.entries[at]!,
        proof: this.proof(at),
      })),
    };
  }

  #headLeaves(): Map<string, Uint8Array> {
    return new Map(
      [...this.#heads].map(([name, head]) => [name, headLeaf(nodeHost, formatHead(head))]),
    );
  }

  sign(key: AnyKey, payloadType: string, payload: Uint8Array): Uint8Array {
    return formatEnvelope(payloadType, payload, key.sign(toSign(payloadType, payload)));
  }

  /** Keeps a document, so that an entry may name it. */
  keep(bytes: Uint8Array): Digest {
    const digest = digestOf(nodeHost, bytes);
    this.statements.set(digest, bytes);
    return digest;
  }
}

/** SHA-256 of each chunk, one after the other. */
export function chunkListOf(bytes: Uint8Array): Uint8Array {
  const size = chunkSizeFor(bytes.length);
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    nodeHost.sha256(bytes.subarray(index * size, (index + 1) * size)),
  );
  return concat(...chunks);
}
