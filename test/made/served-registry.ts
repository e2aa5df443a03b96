/**
 * A made registry on a loopback port, with what clients read. It is honest unless a test
 * says otherwise: `tamper` may change any document, `spoil` may spoil the answer to any
 * request for content.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { formatBase64, parseUtf8 } from '../../src/core/bytes.ts';
import { digestOf } from '../../src/core/digest.ts';
import { parseHead } from '../../src/core/log/heads.ts';
import { emptyEdge, grow } from '../../src/core/log/tree.ts';
import { parseManifest } from '../../src/core/release/manifest.ts';
import type { RootDocument } from '../../src/core/trust/root.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { type MadeKey, makeKey } from './p256.ts';
import { chunkListOf, type Found, MadeRegistry } from './registry.ts';
import { makeRootDocument, signRoot } from './trust-root.ts';

export type Contents = Readonly<Record<string, Uint8Array>>;

/** Spoils an answer to a request for content and says so; false leaves it to the server. */
export type Spoil = (
  request: IncomingMessage,
  response: ServerResponse,
  content: AskedRange,
) => boolean;

/** Bytes of a file from `start` on, and how many the whole file has. */
export interface AskedRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly size: number;
}

interface Served {
  readonly files: Contents;
  readonly index: number;
  readonly inventory: Uint8Array | undefined;
}

export class ServedRegistry {
  readonly made: MadeRegistry;
  readonly rootKey: MadeKey = makeKey();
  /** Every version of root.json, signed. */
  readonly roots: Uint8Array[] = [];
  /** Changes a document on its way out; undefined makes it not found. */
  tamper: (path: string, bytes: Uint8Array) => Uint8Array | undefined = (_, bytes) => bytes;
  spoil: Spoil = () => false;
  /** Paths of all requests so far. */
  readonly requests: string[] = [];
  readonly #releases = new Map<string, Served>();
  readonly #server: Server;
  #heads = 0;

  private constructor(made: MadeRegistry) {
    this.made = made;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.addRoot();
  }

  /** A registry with the namespace acme. */
  static async start(made = new MadeRegistry()): Promise<ServedRegistry> {
    const served = new ServedRegistry(made);
    if (made.entries.length === 0) made.namespace('acme');
    served.heads();
    await new Promise<void>((resolve) => served.#server.listen(0, '127.0.0.1', resolve));
    return served;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Signs and adds the next version of the root. */
  addRoot(changes: Partial<RootDocument> = {}): void {
    const release = [{ spki: this.made.releaseKey.spki, from: 0 }];
    const version = this.roots.length + 1;
    const document = makeRootDocument([this.rootKey], { release, version, ...changes });
    this.roots.push(signRoot(document, [this.rootKey]));
  }

  /** `inventory` is shown as tensors.json; that the manifest names it is for `found` to say. */
  publish(reference: string, files: Contents, found: Found = {}, inventory?: Uint8Array): number {
    const index = this.made.publish(reference, files, found);
    this.#releases.set(reference, { files, index, inventory });
    this.heads();
    return index;
  }

  heads(): void {
    this.#heads = this.made.heads();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(request.url ?? '');
    this.requests.push(path);
    const content = /^\/api\/v1\/releases\/([^/]+\/[^/]+)\/([^/]+)\/files\/(.*)$/.exec(path);
    const file = content && this.#releases.get(`${content[1]}@${content[2]}`)?.files[content[3]!];
    if (file != null) {
      this.#sendContent(request, response, file);
      return;
    }
    const document = this.answer(path);
    const sent = document === undefined ? undefined : this.tamper(path, document);
    if (sent === undefined) {
      response.writeHead(404, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ code: 'not-found', detail: `nothing at ${path}` }));
      return;
    }
    response.writeHead(200, { 'content-length': sent.length });
    response.end(sent);
  }

  #sendContent(request: IncomingMessage, response: ServerResponse, file: Uint8Array): void {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const [start, end] = [Number(from), Number(to)];
    const bytes = file.subarray(start, end + 1);
    const range = { bytes, start, size: file.length };
    if (!this.spoil(request, response, range)) sendRange(response, range);
  }

  /** What is honestly served there. */
  answer(path: string): Uint8Array | undefined {
    const { made } = this;
    if (path === '/.well-known/weighhouse/config.json') return json(this.#configuration());
    const root = /^\/\.well-known\/weighhouse\/root\/(\d+)\.json$/.exec(path);
    if (root !== null) return this.roots[Number(root[1]) - 1];
    if (path === '/log/checkpoint') return made.checkpoint();
    if (path.startsWith('/log/tile/')) return this.#tile(path.slice('/log/'.length));
    const head = /^\/api\/v1\/namespaces\/([^/]+)\/head$/.exec(path);
    if (head !== null) return this.#freshness(head[1]!);
    const release = /^\/api\/v1\/releases\/([^/]+\/[^/]+)\/([^/]+)(?:\/(.*))?$/.exec(path);
    return release === null ? undefined : this.#release(release[1]!, release[2]!, release[3]);
  }

  #release(model: string, at: string, rest: string | undefined): Uint8Array | undefined {
    const reference = [...this.#releases.keys()].find(
      (name) =>
        name === `${model}@${at}` || (name.startsWith(`${model}@`) && this.#digestOf(name) === at),
    );
    if (reference === undefined) return undefined;
    const { files, inventory } = this.#releases.get(reference)!;
    if (rest === undefined) return json(this.#shown(reference));
    if (rest.startsWith('chunks/')) return chunkListOf(files[rest.slice('chunks/'.length)]!);
    const { manifest, modelSig, releaseDsse, entry, releaseProof, recordProof } =
      this.made.documents(reference);
    const documents: Record<string, Uint8Array | undefined> = {
      'manifest.json': manifest,
      'model.sig': modelSig,
      'release.dsse': releaseDsse,
      entry,
      'release.tlog-proof': releaseProof,
      'model-sig.tlog-proof': recordProof,
      'tensors.json': inventory,
    };
    return documents[rest];
  }

  #digestOf(reference: string): string {
    return digestOf(nodeHost, this.made.documents(reference).manifest);
  }

  #shown(reference: string) {
    const { files, size } = parseManifest(this.made.documents(reference).manifest);
    return {
      reference,
      digest: this.#digestOf(reference),
      index: this.#releases.get(reference)!.index,
      time: '2026-02-01T12:00:00.000Z',
      state: 'published',
      size,
      files: files.map(({ path, size: bytes, sha256, format }) => ({
        path,
        size: bytes,
        sha256,
        format,
      })),
    };
  }

  #freshness(namespace: string): Uint8Array {
    const found = this.made.freshness(namespace, this.#heads);
    const indexes = parseHead(found.head).advisories;
    return json({
      index: this.#heads,
      entry: formatBase64(found.entry),
      proof: parseUtf8(found.proof),
      head: formatBase64(found.head),
      position: found.position,
      count: 1,
      path: found.path.map(formatBase64),
      advisories: found.advisories.map(({ entry, proof }, i) => ({
        index: indexes[i],
        entry: formatBase64(entry),
        proof: parseUtf8(proof),
      })),
    });
  }

  #tile(path: string): Uint8Array | undefined {
    const { files } = grow(nodeHost, emptyEdge(nodeHost), this.made.entries);
    return files.find((file) => file.path === path)?.bytes;
  }

  #configuration() {
    return {
      origin: this.made.root.origin,
      url: this.url,
      vkey: 'not read',
      releaseKeys: [],
      api: '/api/v1',
      log: '/log',
    };
  }
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The honest answer to a request for a range. */
export function sendRange(response: ServerResponse, { bytes, start, size }: AskedRange): void {
  response.writeHead(206, {
    'content-length': bytes.length,
    'content-range': `bytes ${start}-${start + bytes.length - 1}/${size}`,
  });
  response.end(bytes);
}
