/**
 * The log, read from its first entry to its last by the registry's own rules: what may follow
 * upon what. The state that is folded here is what the heads entries must say; what entries
 * only name (policies, envelopes, manifests) is given back as *due* for `documents.ts` and its
 * neighbours.
 */
import { formatHex } from '../bytes.ts';
import type { Digest } from '../digest.ts';
import { CodedError, type ErrorCode } from '../error.ts';
import type { Host } from '../host.ts';
import { type Entry, type EntryOf, parseEntry } from '../log/entry.ts';
import { beginHead, growHead } from '../log/grow-head.ts';
import { formatHead, type Head, headLeaf, headsRoot } from '../log/heads.ts';
import {
  formatModel,
  formatReleaseName,
  type Namespace,
  parseNamespace,
  parseReleaseName,
  type ReleaseName,
  skeleton,
  versionKey,
} from '../release/name.ts';
import { revisionOf } from '../release/revision.ts';
import { parseHashedRekord } from '../statement/hashedrekord.ts';
import { type CommitmentState, Commitments, NO_COMMITMENTS } from './commitments.ts';
import type { Findings } from './findings.ts';

/** Milliseconds between two heads entries that nobody need wonder at. */
export const MAX_HEADS_GAP = 15 * 60_000;

/** A namespace at one point of the log. */
export interface FoldedNamespace {
  readonly head: Head;
  /** Every policy that was logged of it, in order; which is in force depends on their delays. */
  readonly policies: readonly NamedPolicy[];
}

/** A policy, as the log names it. */
export interface NamedPolicy {
  readonly index: number;
  readonly time: string;
  readonly digest: Digest;
}

/** What is due of an entry whose documents are judged by the policies before it. */
interface Judged<E> {
  readonly entry: E;
  readonly policies: readonly NamedPolicy[];
}

/** An entry whose documents are to be looked at. */
export type Due = { readonly index: number } & (
  | { readonly kind: 'namespace'; readonly entry: EntryOf<'namespace'> }
  | ({ readonly kind: 'policy' } & Judged<EntryOf<'policy'>>)
  | ({
      readonly kind: 'release';
      /** Digests of earlier releases of the namespace that have the same bytes (ROOT). */
      readonly twins: readonly Digest[];
    } & Judged<EntryOf<'release'>>)
  | ({ readonly kind: 'advisory' } & Judged<EntryOf<'advisory'>>)
  | ({ readonly kind: 'void' } & Judged<EntryOf<'void'>>)
  | ({ readonly kind: 'announcement' } & Judged<EntryOf<'announcement'>>)
  | { readonly kind: 'root'; readonly entry: EntryOf<'root'> }
);

/** A release, as the log names it. */
export type FoldedRelease = Pick<EntryOf<'release'>, 'digest' | 'root'>;

/** All that the rules need to know of the entries so far. */
export interface FoldState {
  readonly namespaces: readonly FoldedNamespace[];
  /** By `ns/name@version`, in lower case. */
  readonly releases: ReadonlyMap<string, FoldedRelease>;
  readonly commitments: CommitmentState;
  /** The newest heads entry. */
  readonly heads?: { readonly index: number; readonly time: string };
  /** Version of the newest root that is logged. */
  readonly root?: number;
  /** Time of the last entry that has one. */
  readonly time?: string;
}

export const EMPTY_FOLD: FoldState = {
  namespaces: [],
  releases: new Map(),
  commitments: NO_COMMITMENTS,
};

/** Breaks a rule. */
class Breach extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export class LogFold {
  readonly #host: Host;
  readonly #findings: Findings;
  readonly #namespaces = new Map<string, FoldedNamespace>();
  readonly #skeletons = new Map<string, string>();
  readonly #releases: Map<string, FoldedRelease>;
  /** By namespace and ROOT, the digests of its releases of these bytes. */
  readonly #sameBytes = new Map<string, readonly Digest[]>();
  readonly #revisions = new Set<string>();
  readonly #headLeaves = new Map<string, Uint8Array>();
  /** Namespaces whose head changed since the newest heads entry, with the entry that did it first. */
  readonly #changed = new Map<string, number>();
  /** What was committed, up to the entry that was read last. */
  readonly commitments: Commitments;
  #heads: FoldState['heads'];
  #root: number | undefined;
  #time: string | undefined;
  /** The release entry just before, whose record must come now. */
  #unrecorded: { readonly index: number; readonly entry: EntryOf<'release'> } | undefined;

  /** `seed` is 32 bytes that nobody knew when the entries were logged. */
  constructor(
    host: Host,
    findings: Findings,
    state: FoldState = EMPTY_FOLD,
    seed: Uint8Array = new Uint8Array(32),
  ) {
    this.#host = host;
    this.#findings = findings;
    this.commitments = new Commitments(state.commitments, seed);
    this.#releases = new Map(state.releases);
    for (const [key, release] of this.#releases) {
      this.#revisions.add(revision(key, release.digest));
      this.#addBytes(key.slice(0, key.indexOf('/')), release);
    }
    for (const folded of state.namespaces) this.#restore(folded);
    this.#heads = state.heads;
    this.#root = state.root;
    this.#time = state.time;
  }

  /** The newest heads entry so far. */
  get heads(): FoldState['heads'] {
    return this.#heads;
  }

  /** Version of the newest root that is logged so far. */
  get root(): number | undefined {
    return this.#root;
  }

  /** How many releases there are so far. */
  get releases(): number {
    return this.#releases.size;
  }

  /** The state after the entries so far; for an audit that goes on later. */
  get state(): FoldState {
    return {
      namespaces: [...this.#namespaces.values()],
      releases: this.#releases,
      commitments: this.commitments.state,
      ...(this.#heads === undefined ? {} : { heads: this.#heads }),
      ...(this.#root === undefined ? {} : { root: this.#root }),
      ...(this.#time === undefined ? {} : { time: this.#time }),
    };
  }

  /** Reads entry `index`, whose leaf hash is `leaf`; returns what is due, if anything is. */
  add(index: number, bytes: Uint8Array, leaf: Uint8Array): Due | undefined {
    const awaiting = this.#unrecorded;
    this.#unrecorded = undefined;
    const isRecord = awaiting !== undefined && formatHex(leaf) === awaiting.entry.record;
    if (awaiting !== undefined && !isRecord) this.#reportUnrecorded(awaiting);
    try {
      return this.#read(index, bytes, isRecord);
    } catch (error) {
      if (error instanceof Breach) this.#findings.violate(index, error.code, error.message);
      else this.#findings.fault(index, error);
      return undefined;
    }
  }

  /** No entry follows. */
  end(): void {
    if (this.#unrecorded !== undefined) this.#reportUnrecorded(this.#unrecorded);
    for (const [namespace, index] of this.#changed) {
      this.#findings.violate(
        index,
        'stale',
        `no heads entry follows this change of ${namespace}: clients cannot know of it`,
      );
    }
  }

  #read(index: number, bytes: Uint8Array, isRecord: boolean): Due | undefined {
    const parsed = parseEntry(bytes);
    if (parsed.known) {
      this.#noteTime(index, parsed.entry);
      return this.#apply(index, parsed.entry);
    }
    if (parsed.kind !== 'hashedrekord') {
      this.#findings.note(index, `the kind "${parsed.kind}" is unknown to this auditor`);
      return undefined;
    }
    parseHashedRekord(bytes, `the hashedrekord at ${index}`);
    if (isRecord) return undefined;
    throw new Breach(
      'proof-invalid',
      'a hashedrekord without a release entry before that names it',
    );
  }

  #apply(index: number, entry: Entry): Due | undefined {
    switch (entry.kind) {
      case 'namespace':
        return this.#begin(index, entry);
      case 'policy':
        return this.#newPolicy(index, entry);
      case 'release':
        return this.#release(index, entry);
      case 'advisory':
        return this.#advisory(index, entry);
      case 'heads':
        return this.#checkHeads(index, entry);
      case 'root':
        return this.#newRoot(index, entry);
      case 'commitment':
        return this.#commitment(index, entry);
      case 'void':
        return this.#void(index, entry);
      case 'announcement':
        return this.#announcement(index, entry);
    }
  }

  #begin(index: number, entry: EntryOf<'namespace'>): Due {
    const namespace = exactNamespace(entry.namespace);
    if (this.#namespaces.has(namespace)) {
      throw new Breach('untrusted', `the namespace ${namespace} begins a second time`);
    }
    const twin = this.#skeletons.get(skeleton(namespace));
    const policies = [{ index, time: entry.time, digest: entry.policy }];
    this.#restore({ head: beginHead(namespace, index), policies });
    this.#changed.set(namespace, index);
    if (twin !== undefined && entry.override === undefined) {
      // Its documents are due all the same: the registry did begin it.
      this.#findings.violate(
        index,
        'untrusted',
        `${namespace} looks like the namespace ${twin}, and no override says that it is meant`,
      );
    }
    return { kind: 'namespace', index, entry };
  }

  #newPolicy(index: number, entry: EntryOf<'policy'>): Due {
    const { head, policies } = this.#known(exactNamespace(entry.namespace));
    const next = { index, time: entry.time, digest: entry.policy };
    this.#grow(index, entry, { head, policies: [...policies, next] });
    return { kind: 'policy', index, entry, policies };
  }

  #release(index: number, entry: EntryOf<'release'>): Due {
    this.#unrecorded = { index, entry };
    const release = exactRelease(entry.release);
    const folded = this.#known(release.namespace);
    const key = releaseKey(release);
    if (this.#releases.has(key)) {
      throw new Breach('already-published', `${entry.release} was published before`);
    }
    const { digest, root } = entry;
    this.#releases.set(key, { digest, root });
    this.#grow(index, entry, folded);
    const short = revision(key, entry.digest);
    if (this.#revisions.has(short)) {
      const message = `another release of ${formatModel(release)} has the same 40-digit revision`;
      this.#findings.violate(index, 'untrusted', message);
    }
    this.#revisions.add(short);
    const twins = this.#addBytes(release.namespace, entry);
    return { kind: 'release', index, entry, policies: folded.policies, twins };
  }

  #advisory(index: number, entry: EntryOf<'advisory'>): Due {
    const release = exactRelease(entry.release);
    const folded = this.#known(release.namespace);
    this.#grow(index, entry, folded);
    if (this.#releases.get(releaseKey(release))?.digest !== entry.digest) {
      const message = `no release ${entry.release} with the digest ${entry.digest} came before`;
      this.#findings.violate(index, 'untrusted', `an advisory about nothing: ${message}`);
    }
    return { kind: 'advisory', index, entry, policies: folded.policies };
  }

  #commitment(index: number, { label, commit, time }: EntryOf<'commitment'>): undefined {
    if (this.commitments.add({ label, commit, index, time })) return;
    throw new Breach('untrusted', `the label ${label} was committed before`);
  }

  #void(index: number, entry: EntryOf<'void'>): Due {
    const { label } = entry;
    const namespace = exactNamespace(entry.namespace);
    const { policies } = this.#known(namespace);
    this.commitments.addVoid({ namespace, label, index });
    return { kind: 'void', index, entry, policies };
  }

  #announcement(index: number, entry: EntryOf<'announcement'>): Due {
    const { policies } = this.#known(exactRelease(entry.release).namespace);
    return { kind: 'announcement', index, entry, policies };
  }

  #checkHeads(index: number, entry: EntryOf<'heads'>): undefined {
    for (const namespace of this.#changed.keys()) {
      const { head } = this.#namespaces.get(namespace)!;
      this.#headLeaves.set(namespace, headLeaf(this.#host, formatHead(head)));
    }
    this.#changed.clear();
    this.#noteGap(index, entry.time);
    this.#heads = { index, time: entry.time };
    const root = headsRoot(this.#host, this.#headLeaves);
    if (entry.root === root && entry.namespaces === this.#headLeaves.size) return;
    this.#findings.violate(
      index,
      'proof-invalid',
      `the heads entry says ${entry.root} over ${entry.namespaces} namespaces; the log before it makes ${root} over ${this.#headLeaves.size}`,
    );
  }

  #newRoot(index: number, entry: EntryOf<'root'>): Due {
    // Version 1 is pinned by its fingerprint and stands in no log.
    const before = this.#root ?? 1;
    if (entry.version !== before + 1) {
      const message = `version ${entry.version} of root.json follows upon version ${before}`;
      this.#findings.violate(index, 'untrusted', message);
    }
    this.#root = entry.version;
    return { kind: 'root', index, entry };
  }

  #known(namespace: Namespace): FoldedNamespace {
    const folded = this.#namespaces.get(namespace);
    if (folded !== undefined) return folded;
    throw new Breach('untrusted', `the namespace ${namespace} has not begun`);
  }

  #grow(index: number, entry: Entry, { head, policies }: FoldedNamespace): void {
    const { namespace } = head;
    this.#namespaces.set(namespace, { head: growHead(head, entry, index), policies });
    if (!this.#changed.has(namespace)) this.#changed.set(namespace, index);
  }

  /** The digests of the namespace's releases of the same bytes so far. */
  #addBytes(namespace: string, { digest, root }: FoldedRelease): readonly Digest[] {
    const key = `${namespace} ${root}`;
    const before = this.#sameBytes.get(key) ?? [];
    this.#sameBytes.set(key, [...before, digest]);
    return before;
  }

  #restore(folded: FoldedNamespace): void {
    const { head } = folded;
    const namespace = head.namespace as Namespace;
    this.#namespaces.set(namespace, folded);
    this.#headLeaves.set(namespace, headLeaf(this.#host, formatHead(head)));
    const look = skeleton(namespace);
    if (!this.#skeletons.has(look)) this.#skeletons.set(look, namespace);
  }

  #reportUnrecorded({ index, entry }: { index: number; entry: EntryOf<'release'> }): void {
    const message = `the record of ${entry.release} is not the entry after it`;
    this.#findings.violate(index, 'proof-invalid', message);
  }

  #noteTime(index: number, { time }: Entry): void {
    if (this.#time !== undefined && time < this.#time) {
      this.#findings.note(index, `its time, ${time}, is before that of an entry before it`);
    }
    this.#time = time;
  }

  #noteGap(index: number, time: string): void {
    if (this.#heads === undefined) return;
    const gap = Date.parse(time) - Date.parse(this.#heads.time);
    if (gap <= MAX_HEADS_GAP) return;
    const minutes = Math.round(gap / 60_000);
    this.#findings.note(index, `for ${minutes} minutes before it there was no heads entry`);
  }
}

/** Under which a release is known: versions that differ in case alone are one. */
export function releaseKey(release: ReleaseName): string {
  return `${formatModel(release)}@${versionKey(release.version)}`;
}

/** What a Hugging Face client would call the release. */
function revision(release: string, digest: Digest): string {
  return `${release.slice(0, release.indexOf('@'))} ${revisionOf(digest)}`;
}

function exactNamespace(text: string): Namespace {
  const namespace = parseNamespace(text);
  if (namespace === text) return namespace;
  throw new CodedError('bad-entry', `the namespace "${namespace}" is not in its normal form`);
}

function exactRelease(text: string): ReleaseName {
  const release = parseReleaseName(text);
  if (formatReleaseName(release) === text) return release;
  throw new CodedError('bad-entry', `${formatReleaseName(release)} is not in its normal form`);
}
