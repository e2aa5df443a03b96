/**
 * `push`: a folder into a draft, sealed. What a registry would refuse is refused before
 * anything is done (`preview.ts`). Then files are hashed on every core, and each is sent
 * while the next is being hashed; its chunks are its parts, so their digests are known. The
 * registry says which parts it has: stopped at any point, the same command goes on from
 * there. At the end the registry has read every byte back, and the manifest that it sealed
 * is compared with what was hashed here.
 */

import type { Api } from '../client/api.ts';
import { withRetries } from '../client/retry.ts';
import { type Digest, digestOf, formatDigest } from '../core/digest.ts';
import type { ErrorCode } from '../core/error.ts';
import { CodedError, isCoded } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { parseOrigin } from '../core/log/checkpoint.ts';
import { chunkRange, chunkRoot, chunkSizeFor } from '../core/release/chunks.ts';
import { type Claims, isSameClaims } from '../core/release/claims.ts';
import { type Manifest, parseManifest } from '../core/release/manifest.ts';
import { formatReleaseName, type ReleaseName } from '../core/release/name.ts';
import { Turnstile } from '../core/turnstile.ts';
import type { HashingPool } from '../hashing/pool.ts';
import { awaitSeal } from './await-seal.ts';
import type { LocalPart } from './direct-upload.ts';
import type { Nonces, Recipient } from './nonces.ts';
import { PartSender } from './part-upload.ts';
import { type Preview, type PreviewOptions, previewFolder } from './preview.ts';
import { type OnProgress, ProgressSum } from './progress.ts';
import { fileChanged, requireUnchanged, type Scan, type ScannedFile } from './scan.ts';
import { openWay, type UploadTicket, type Way } from './upload-way.ts';

/** Parts on their way at once. */
export const CONNECTIONS = 8;
/** Files that are declared at once. */
const DECLARING = 8;
/** Times that a file is declared whose upload turns out to be gone. */
const MAX_UPLOADS = 2;
/** Seals that may find a damaged part, which is then sent again. */
const MAX_SEALS = 2;

/** What it takes to push. */
export interface Publisher {
  readonly host: Host;
  readonly api: Api;
  /** The caller's to close. */
  readonly pool: HashingPool;
  readonly nonces: Nonces;
}

export interface PushOptions extends PreviewOptions {
  /** What is said of the files, to be sealed with them. */
  readonly claims?: Claims | undefined;
  /** Upload and leave the draft open. */
  readonly noSeal?: boolean;
  readonly connections?: number;
  readonly onProgress?: OnProgress | undefined;
}

export interface PushResult {
  readonly reference: string;
  /** The sealed digest; absent when nothing was sealed. */
  readonly digest?: Digest;
  readonly files: number;
  readonly bytes: number;
  /** What lies in the folder and is never part of a release. */
  readonly leftOut: readonly string[];
  readonly deselected: number;
  /** What is odd about the files, a sentence each. */
  readonly warnings: readonly string[];
}

/** What a push would push; nothing is sent. `api` is asked for the namespace's policy, where one is meant. */
export async function previewPush(
  api: Api | undefined,
  folder: string,
  release: ReleaseName,
  options: PreviewOptions = {},
): Promise<PushResult> {
  return resultOf(release, await previewFolder(api, folder, release.namespace, options));
}

/** Pushes `folder` as `release`. Throws `bad-path`, `bad-weights`, `file-changed`, `already-published`, `not-authorised` … */
export async function push(
  publisher: Publisher,
  folder: string,
  release: ReleaseName,
  options: PushOptions = {},
): Promise<PushResult> {
  publisher.pool.warm();
  const preview = await previewFolder(publisher.api, folder, release.namespace, options);
  const pushing = new Push(publisher, release, preview.scan, options);
  try {
    return resultOf(release, preview, await pushing.run());
  } finally {
    pushing.close();
  }
}

/** A file and its digests. */
interface HashedFile {
  readonly file: ScannedFile;
  readonly sha256: Digest;
  /** SHA-256 of each chunk, 32 bytes apiece: of each part. */
  readonly list: Uint8Array;
  readonly chunks: { readonly size: number; readonly root: Digest };
}

class Push {
  readonly #publisher: Publisher;
  readonly #release: ReleaseName;
  readonly #scan: Scan;
  readonly #options: PushOptions;
  readonly #sender: PartSender;
  readonly #declaring = new Turnstile(DECLARING);
  readonly #sending: Turnstile;
  readonly #hashing: ProgressSum;
  readonly #uploading: ProgressSum;
  /** Aborted by the person, or by the first failure, so that nothing goes on behind it. */
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #session: string | undefined;
  #registry: Recipient | undefined;

  constructor(publisher: Publisher, release: ReleaseName, scan: Scan, options: PushOptions) {
    const { connections = CONNECTIONS, signal, onProgress } = options;
    const total = bytesIn(scan.files);
    this.#publisher = publisher;
    this.#release = release;
    this.#scan = scan;
    this.#options = options;
    this.#sender = new PartSender(connections);
    this.#sending = new Turnstile(connections);
    this.#hashing = new ProgressSum('hash', total, onProgress);
    this.#uploading = new ProgressSum('upload', total, onProgress);
    this.#signal =
      signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
  }

  async run(): Promise<Digest | undefined> {
    const { files } = this.#scan;
    const plan = { files: files.length, bytes: bytesIn(files) };
    const options = { plan, signal: this.#signal };
    const opened = await this.#publisher.api.openDraft(this.#release, options);
    this.#session = opened.session;
    const hashing = files.map((file) => this.#hash(file));
    for (const promise of hashing) promise.catch(() => {});
    if (opened.state === 'sealed') {
      const sealed = await this.#sealedDigest(await Promise.all(hashing));
      if (sealed !== undefined) return sealed;
    }
    for (let seals = 1; ; seals++) {
      await this.#uploadAll(hashing);
      if (this.#options.noSeal === true) return undefined;
      const files = await Promise.all(hashing);
      const status = await this.#seal(files);
      if (status === 'damaged' && seals < MAX_SEALS) continue;
      return await this.#compare(files);
    }
  }

  close(): void {
    this.#stop.abort();
    this.#sender.close();
  }

  async #hash(file: ScannedFile): Promise<HashedFile> {
    const { host, pool } = this.#publisher;
    const size = chunkSizeFor(file.size);
    const hashes = await pool.hashFile(
      file.location,
      { size: file.size, whole: true, chunkSize: size },
      { signal: this.#signal, onProgress: (bytes) => this.#hashing.set(file.path, bytes) },
    );
    const list = hashes.chunks;
    return { file, sha256: hashes.sha256, list, chunks: { size, root: chunkRoot(host, list) } };
  }

  async #uploadAll(hashing: readonly Promise<HashedFile>[]): Promise<void> {
    const uploads = hashing.map(async (promise) => this.#upload(await promise));
    try {
      await Promise.all(uploads);
    } catch (error) {
      this.#stop.abort(error);
      await Promise.allSettled(uploads);
      throw error;
    }
    for (const file of this.#scan.files) await requireUnchanged(file);
  }

  /** Brings the file to the registry; once anew, when its store has forgotten an upload that was begun long ago. */
  async #upload(hashed: HashedFile): Promise<void> {
    const { path, size } = hashed.file;
    for (let tries = 1; ; tries++) {
      try {
        await this.#declareAndSend(hashed);
        break;
      } catch (error) {
        if (tries === MAX_UPLOADS || !isCoded(error, 'not-found')) throw error;
      }
    }
    this.#uploading.set(path, size);
  }

  /** Declares the file, and sends the parts that the registry has not. */
  async #declareAndSend(hashed: HashedFile): Promise<void> {
    const { api } = this.#publisher;
    const { file, sha256, chunks } = hashed;
    const { path, size } = file;
    const options = { session: this.#session, signal: this.#signal };
    const declaration = { path, size, sha256, chunks };
    const ticket = await this.#declaring.pass(() =>
      api.declareFile(this.#release, declaration, options),
    );
    if (ticket.state === 'stored') return;
    const missing = missingParts(hashed, ticket);
    this.#uploading.set(path, size - missing.reduce((sum, part) => sum + part.length, 0));
    const way = openWay(
      { api, sender: this.#sender, release: this.#release, location: file.location, ...options },
      ticket,
      missing,
    );
    await Promise.all(
      missing.map((part) => this.#sending.pass(() => this.#send(hashed, part, way))),
    );
    await way.finish();
    await api.completeUpload(this.#release, ticket.upload, options);
  }

  async #send({ file }: HashedFile, part: LocalPart, way: Way): Promise<void> {
    const { pauses } = this.#publisher.api.http;
    await withRetries(() => this.#sendOnce(file, part, way), pauses, this.#signal);
    this.#uploading.add(file.path, part.length);
  }

  /** Wrong bytes arrived: either the file has changed since it was hashed, or the network did it. */
  async #sendOnce(file: ScannedFile, part: LocalPart, way: Way): Promise<void> {
    try {
      await way.send(part);
    } catch (error) {
      await requireUnchanged(file);
      if (!isCoded(error, 'digest-mismatch')) throw error;
      const { offset, length } = part;
      const plan = { size: file.size, pieces: [{ offset, length }] };
      const { pieces } = await this.#publisher.pool.hashFile(file.location, plan);
      if (Buffer.compare(pieces, part.sha256) !== 0) throw fileChanged(file);
      throw new CodedError(error.code, error.message, { ...error.details, transient: true });
    }
  }

  /** Seals, and waits until the registry has read everything back. */
  async #seal(files: readonly HashedFile[]): Promise<'sealed' | 'damaged'> {
    const { api } = this.#publisher;
    const options = { session: this.#session, signal: this.#signal };
    const { state, revision } = await api.draftStatus(this.#release, options);
    // What is sealed is something else, as nothing that was declared reopened it: a file was
    // only dropped, and this seal begins the next revision.
    const next = state === 'sealed' ? revision + 1 : revision;
    const nonce = await this.#nonceOf(next);
    const paths = files.map(({ file }) => file.path);
    const status = await awaitSeal({
      api,
      release: this.#release,
      request: { nonce, paths, ...this.#options.claims },
      ...options,
      onProgress: (bytes, total) => this.#options.onProgress?.({ phase: 'seal', bytes, total }),
    });
    if (status.state === 'sealed') return 'sealed';
    const failure = status.seal?.running === false ? status.seal.error : undefined;
    if (failure?.code === 'digest-mismatch') return 'damaged';
    throw new CodedError(
      (failure?.code ?? 'conflict') as ErrorCode,
      failure?.message ??
        `${formatReleaseName(this.#release)} is ${status.state}; look with: weighhouse status`,
    );
  }

  async #nonceOf(revision: number): Promise<string> {
    const { api, nonces } = this.#publisher;
    this.#registry ??= await recipientAt(api, this.#signal);
    return nonces.nonceOf(this.#registry, this.#release, revision);
  }

  /** The digest of the sealed manifest, which must say of every file what was hashed here. */
  async #compare(files: readonly HashedFile[]): Promise<Digest> {
    const { bytes, manifest } = await this.#readManifest();
    const nonce = await this.#nonceOf(manifest.draft.revision);
    const difference = this.#differenceOf(manifest, files, nonce);
    if (difference === undefined) return digestOf(this.#publisher.host, bytes);
    throw new CodedError(
      'digest-mismatch',
      `the registry sealed something else than was pushed: ${difference}; do not publish it`,
    );
  }

  /** The digest of what is sealed already, if it is just this. */
  async #sealedDigest(files: readonly HashedFile[]): Promise<Digest | undefined> {
    const { bytes, manifest } = await this.#readManifest();
    if (this.#differenceOf(manifest, files, manifest.draft.nonce) !== undefined) return undefined;
    return digestOf(this.#publisher.host, bytes);
  }

  /** What the manifest says otherwise than what was pushed; undefined when it says the same. */
  #differenceOf(
    manifest: Manifest,
    files: readonly HashedFile[],
    nonce: string,
  ): string | undefined {
    if (manifest.release !== formatReleaseName(this.#release)) return 'another release';
    if (manifest.draft.nonce !== nonce) return 'another nonce';
    if (!isSameClaims(manifest, this.#options.claims ?? {})) return 'other claims';
    return differentFile(manifest, files);
  }

  async #readManifest(): Promise<{ bytes: Uint8Array; manifest: Manifest }> {
    const options = { session: this.#session, signal: this.#signal };
    const bytes = await this.#publisher.api.draftManifest(this.#release, options);
    return { bytes, manifest: parseManifest(bytes) };
  }
}

/** The parts that the registry has not, or has otherwise. Throws `bad-document` for other parts than the chunks. */
function missingParts({ file, list, chunks }: HashedFile, ticket: UploadTicket): LocalPart[] {
  if (ticket.partSize !== chunks.size) {
    throw new CodedError(
      'bad-document',
      `the registry wants ${file.path} in parts of ${ticket.partSize} bytes, not of ${chunks.size}`,
    );
  }
  const there = new Map(ticket.parts.map(({ number, sha256 }) => [number, sha256]));
  return Array.from({ length: list.length / 32 }, (_, index) => ({
    number: index + 1,
    ...chunkRange(file.size, chunks.size, index),
    sha256: list.subarray(32 * index, 32 * index + 32),
  })).filter(({ number, sha256 }) => there.get(number) !== formatDigest(sha256));
}

/** Of which file the manifest says something else than what was hashed here. */
function differentFile(manifest: Manifest, files: readonly HashedFile[]): string | undefined {
  if (manifest.files.length !== files.length) return 'another number of files';
  const other = manifest.files.find(({ path, size, sha256, chunks }, i) => {
    const { file, ...hashed } = files[i]!;
    return !(
      path === file.path &&
      size === file.size &&
      sha256 === hashed.sha256 &&
      chunks.size === hashed.chunks.size &&
      chunks.root === hashed.chunks.root
    );
  });
  return other?.path;
}

/** Who is told the nonces, by its own word. */
async function recipientAt(api: Api, signal: AbortSignal): Promise<Recipient> {
  const { origin } = await api.configuration({ signal });
  return { origin: parseOrigin(origin), url: api.http.url };
}

function bytesIn(files: readonly ScannedFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function resultOf(
  release: ReleaseName,
  { scan, warnings }: Preview,
  digest?: Digest | undefined,
): PushResult {
  return {
    reference: formatReleaseName(release),
    ...(digest === undefined ? {} : { digest }),
    files: scan.files.length,
    bytes: bytesIn(scan.files),
    leftOut: scan.leftOut,
    deselected: scan.deselected,
    warnings,
  };
}
