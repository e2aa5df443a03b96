/**
 * A made registry as an auditor reads it, without a network: `fetch` answers from memory.
 * Tests log what they like, `tamper` with any answer, and audit.
 */

import { Api } from '../../src/client/api.ts';
import { type AuditOptions, type AuditReport, audit } from '../../src/client/audit/audit.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { MemoryPins } from '../../src/client/pins.ts';
import type { Reader } from '../../src/client/release.ts';
import { formatBase64, parseUtf8, utf8 } from '../../src/core/bytes.ts';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { type Entry, parseEntry } from '../../src/core/log/entry.ts';
import { emptyEdge, grow } from '../../src/core/log/tree.ts';
import { formatEnvelope, toSign } from '../../src/core/statement/dsse.ts';
import { fingerprint } from '../../src/core/trust/root.ts';
import type { ReleaseDocuments } from '../../src/core/verify/release.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { type MadeKey, makeKey } from './p256.ts';
import { NO_PAUSES } from './reader.ts';
import { MadeRegistry } from './registry.ts';
import type { MadeTree } from './tree.ts';
import { makeRootDocument, signRoot } from './trust-root.ts';

/** Changes an answer on its way; undefined makes it not found. */
export type Tamper = (path: string, bytes: Uint8Array) => Uint8Array | undefined;

export class Audited {
  readonly made: MadeRegistry;
  readonly roots: Uint8Array[] = [];
  tamper: Tamper = (_, bytes) => bytes;
  /** Paths of all requests so far that were answered. */
  readonly requests: string[] = [];
  readonly pins = new MemoryPins();
  readonly rootKey = makeKey();
  #shown: {
    readonly tree: MadeTree | undefined;
    readonly documents: Map<string, ReleaseDocuments>;
  } = { tree: undefined, documents: new Map() };
  #tiles: { readonly size: number; readonly files: ReadonlyMap<string, Uint8Array> } | undefined;

  constructor(made = new MadeRegistry()) {
    this.made = made;
    const release = [{ spki: made.releaseKey.spki, from: 0 }];
    const document = makeRootDocument([this.rootKey], { release });
    this.roots.push(signRoot(document, [this.rootKey]));
  }

  /**
   * A namespace, two releases of one model, a recall, and heads after each: namespace 0,
   * releases 2 and 5 with their records, the recall 8, and the last heads entry 9.
   */
  static small(): Audited {
    const audited = new Audited();
    const { made } = audited;
    made.namespace('acme');
    made.heads();
    made.publish('acme/tiny@v1', { 'config.json': utf8('{}') });
    made.heads();
    made.publish('acme/tiny@v2', { 'config.json': utf8('{"v":2}'), 'w.bin': utf8('weights') });
    made.heads();
    made.advise('acme/tiny@v1', 'recalled');
    made.heads();
    return audited;
  }

  /** An audit by somebody who has pinned the registry and seen nothing of it yet. */
  async audit(
    options: AuditOptions & { pins?: MemoryPins; now?: number } = {},
  ): Promise<AuditReport> {
    return audit(await this.reader(options.pins, options.now), options);
  }

  async reader(pins = new MemoryPins(), now = this.made.now): Promise<Reader> {
    const { origin } = this.made.root;
    if ((await pins.roots(origin)).length === 0) await pins.saveRoot(origin, 1, this.roots[0]!);
    const print = fingerprint(nodeHost, this.roots[0]!);
    const url = parseRegistryUrl('http://registry.example');
    await pins.savePin({ origin, fingerprint: print, urls: [url] });
    const api = new Api({ url, pauses: NO_PAUSES, fetch: this.#fetch });
    return { host: nodeHost, api, pins, clock: () => now };
  }

  /** Keeps a document, so that an entry may name it. */
  keep(bytes: Uint8Array): Digest {
    const digest = digestOf(nodeHost, bytes);
    this.made.statements.set(digest, bytes);
    return digest;
  }

  /** Keeps a signed envelope. */
  sign(key: MadeKey, payloadType: string, payload: Uint8Array): Digest {
    return this.keep(formatEnvelope(payloadType, payload, key.sign(toSign(payloadType, payload))));
  }

  readonly #fetch: typeof fetch = async (input) => {
    const url = new URL(String(input));
    const path = decodeURIComponent(url.pathname + url.search);
    const sent = this.answer(path);
    if (sent === undefined) return new Response(null, { status: 404 });
    this.requests.push(path);
    return new Response(sent as Uint8Array<ArrayBuffer>);
  };

  /** What is served there; undefined when it is not found. */
  answer(path: string): Uint8Array | undefined {
    const answer = this.#answer(path);
    return answer && this.tamper(path, answer);
  }

  #answer(path: string): Uint8Array | undefined {
    const { made } = this;
    const root = /^\/\.well-known\/weighhouse\/root\/(\d+)\.json$/.exec(path);
    if (root !== null) return this.roots[Number(root[1]) - 1];
    if (path === '/log/checkpoint') return made.checkpoint();
    if (path.startsWith('/log/tile/')) return this.#files().get(path.slice('/log/'.length));
    const policy = /^\/api\/v1\/namespaces\/[^/]+\/policy\?index=(\d+)$/.exec(path);
    if (policy !== null) return this.#policy(Number(policy[1]));
    const advisory = /^\/api\/v1\/advisories\/(\d+)$/.exec(path);
    if (advisory !== null) return this.#advisory(Number(advisory[1]));
    const said = /^\/api\/v1\/(?:announcements|voids)\/(\d+)$/.exec(path);
    if (said !== null) return this.#said(Number(said[1]));
    const document = /^\/api\/v1\/releases\/([^/]+\/[^/]+)\/([^/]+)\/(.+)$/.exec(path);
    return document === null
      ? undefined
      : this.#document(`${document[1]}@${document[2]}`, document[3]!);
  }

  #files(): ReadonlyMap<string, Uint8Array> {
    const { entries } = this.made;
    if (this.#tiles?.size !== entries.length) {
      const { files } = grow(nodeHost, emptyEdge(nodeHost), entries);
      const byPath = new Map<string, Uint8Array>(files.map(({ path, bytes }) => [path, bytes]));
      this.#tiles = { size: entries.length, files: byPath };
    }
    return this.#tiles.files;
  }

  #document(reference: string, name: string): Uint8Array | undefined {
    const { made } = this;
    switch (name) {
      case 'decisions.json':
        return made.named(reference, 'decisions');
      case 'verdict.dsse':
        return made.named(reference, 'verdict');
      case 'intent.dsse':
        return made.named(reference, 'intent');
    }
    const { manifest, modelSig, releaseDsse, entry, releaseProof, recordProof } =
      this.#documents(reference);
    const named: Record<string, Uint8Array> = {
      'manifest.json': manifest,
      'model.sig': modelSig,
      'release.dsse': releaseDsse,
      entry,
      'release.tlog-proof': releaseProof,
      'model-sig.tlog-proof': recordProof,
    };
    return named[name];
  }

  /** Made once for each tree: the six of a release are asked for one by one. */
  #documents(reference: string): ReleaseDocuments {
    const { tree } = this.made;
    if (this.#shown.tree !== tree) this.#shown = { tree, documents: new Map() };
    const { documents } = this.#shown;
    const known = documents.get(reference) ?? this.made.documents(reference);
    documents.set(reference, known);
    return known;
  }

  #policy(index: number): Uint8Array | undefined {
    const entry = this.#entry(index);
    if (entry?.kind !== 'namespace' && entry?.kind !== 'policy') return undefined;
    const policy = this.#kept(entry.policy);
    return json({ index, policy, signed: entry.signed.map((digest) => this.#kept(digest)) });
  }

  #advisory(index: number): Uint8Array | undefined {
    const entry = this.#entry(index);
    return entry?.kind === 'advisory' ? json({ envelope: this.#kept(entry.statement) }) : undefined;
  }

  /** An announcement or a void, with its envelopes as JSON. */
  #said(index: number): Uint8Array | undefined {
    const entry = this.#entry(index);
    const envelope = (digest: Digest) => JSON.parse(parseUtf8(this.made.statements.get(digest)!));
    if (entry?.kind === 'announcement') return json({ envelope: envelope(entry.statement) });
    return entry?.kind === 'void' ? json({ signed: entry.signed.map(envelope) }) : undefined;
  }

  #entry(index: number): Entry | undefined {
    const parsed = parseEntry(this.made.entries[index]!);
    return parsed.known ? parsed.entry : undefined;
  }

  #kept(digest: Digest): string {
    return formatBase64(this.made.statements.get(digest)!);
  }
}

function json(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value));
}

/** A copy with one bit of one byte changed. */
export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at]! ^= 1;
  return copy;
}

/** What is in an entry of the log, to be logged again in another form. */
export function readEntry(made: MadeRegistry, index: number) {
  return JSON.parse(parseUtf8(made.entries[index]!));
}
