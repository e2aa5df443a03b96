/**
 * `verify`: is what lies in a folder the release that was pulled into it? Offline, from the
 * documents that `pull` left and the root that the person pinned. Every file is hashed on
 * every core; with `full` its whole SHA-256 is taken too, and not only that of its chunks.
 *
 * Everything that is wrong is found before anything is said: a refusal names every file.
 */

import type { PinStore } from '../client/pins.ts';
import { newestRoot } from '../client/trust.ts';
import { equal } from '../core/bytes.ts';
import type { Digest } from '../core/digest.ts';
import { CodedError, isCoded } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { parseCheckpoint, parseOrigin } from '../core/log/checkpoint.ts';
import { parseEntry } from '../core/log/entry.ts';
import { parseTlogProof } from '../core/log/tlog-proof.ts';
import { parseNote } from '../core/note/note.ts';
import type { ChunkList } from '../core/release/chunks.ts';
import {
  findFile,
  type Manifest,
  type ManifestFile,
  parseManifest,
} from '../core/release/manifest.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../core/release/name.ts';
import { IGNORE_PATHS } from '../core/statement/oms.ts';
import type { TrustRoot } from '../core/trust/succession.ts';
import { refusal, type Verdict } from '../core/verdict.ts';
import {
  type ReleaseDocuments,
  type VerifiedRelease,
  verifyRelease,
} from '../core/verify/release.ts';
import type { Hashes } from '../hashing/plan.ts';
import type { HashingPool } from '../hashing/pool.ts';
import { readChunkLists } from './chunk-lists.ts';
import { FolderHashing, type FolderHashingOptions } from './folder-hashing.ts';
import {
  type LeftDocuments,
  readLeft,
  readLeftList,
  readLeftRoot,
  SUMMARY,
} from './left-documents.ts';
import { MODEL_SIGNATURE, Target } from './target.ts';
import { walkFolder } from './walk.ts';

export type VerifyOptions = FolderHashingOptions;

/** A folder that is what it should be. */
export interface VerifiedFolder {
  readonly release: ReleaseName;
  readonly reference: string;
  readonly digest: Digest;
  readonly index: number;
  /** Files that were verified, of so many in the release. */
  readonly files: number;
  readonly total: number;
  /** Files are not here, by the word of `release.json` because they were not selected. */
  readonly partial: boolean;
  readonly bytes: number;
  /** What was checked, one sentence each. */
  readonly checks: readonly string[];
  readonly root: TrustRoot;
}

/** What it takes to believe what lies in a folder. */
export interface Verifier {
  readonly host: Host;
  readonly pins: PinStore;
  /** The caller's to close. */
  readonly pool: HashingPool;
}

/** Verifies the folder. Throws what malformed documents throw, and `not-found` where no pull was. */
export async function verifyFolder(
  { host, pins, pool }: Verifier,
  folder: string,
  options: VerifyOptions = {},
): Promise<Verdict<VerifiedFolder>> {
  pool.warm();
  const target = await Target.open(folder);
  const left = await readLeft(target);
  // Compared with a manifest only once that is verified; reading it beforehand loses no time.
  const hashing = new FolderHashing(pool, target, claimedFiles(left), options);
  try {
    const root = await rootOf(host, pins, target, left.documents);
    const asked = releaseIn(left.documents);
    const verdict = await verifyRelease(host, root, { ...asked, at: asked }, left.documents);
    if (!verdict.ok) return verdict;
    const { selected, unselected } = filesOf(verdict.manifest, left);
    if (selected.length === 0) return nothingSelected();
    const lists = await readChunkLists(host, selected, (_, name) => readLeftList(target, name));
    const comparing = new Comparing(hashing, target, verdict.manifest);
    await Promise.all([
      ...selected.map((file) => comparing.compare(file, lists.byPath.get(file.path)!)),
      ...unselected.map((file) => comparing.compareIfThere(file)),
      comparing.findExtra(),
    ]);
    return comparing.damage() ?? goodFolder(verdict, root, comparing, selected.length, options);
  } finally {
    await hashing.stop();
  }
}

/** The pinned root of the registry whose log the proof names, walked on with what was left. */
async function rootOf(
  host: Host,
  pins: PinStore,
  target: Target,
  { releaseProof }: ReleaseDocuments,
): Promise<TrustRoot> {
  const note = parseNote(parseTlogProof(releaseProof).checkpoint);
  const origin = parseOrigin(parseCheckpoint(note.text).origin);
  const pin = await pins.pin(origin);
  if (pin === undefined) {
    throw new CodedError(
      'untrusted',
      `the registry ${origin} is not pinned; compare its fingerprint and run: weighhouse trust add`,
      { origin },
    );
  }
  const { root } = await newestRoot(host, pins, pin, (version) => readLeftRoot(target, version));
  return root;
}

/** Which release the log's entry says that this is. */
function releaseIn({ entry }: ReleaseDocuments): ReleaseName {
  const parsed = parseEntry(entry);
  if (parsed.known && parsed.entry.kind === 'release')
    return parseReleaseName(parsed.entry.release);
  throw new CodedError('bad-entry', 'the log entry that was left is no release; pull again');
}

/** The files that must be there, and those that may. */
function filesOf(manifest: Manifest, { summary }: LeftDocuments) {
  if (summary.selected === undefined) return { selected: manifest.files, unselected: [] };
  const wanted = new Set(summary.selected);
  return {
    selected: manifest.files.filter(({ path }) => wanted.has(path)),
    unselected: manifest.files.filter(({ path }) => !wanted.has(path)),
  };
}

/** The files that the manifest names, which nobody has verified yet; none when it cannot be read. */
function claimedFiles(left: LeftDocuments): readonly ManifestFile[] {
  try {
    return filesOf(parseManifest(left.documents.manifest), left).selected;
  } catch {
    // What is wrong with it is for `verifyRelease` to say.
    return [];
  }
}

/** Compares files with the manifest, and collects what does not fit. */
class Comparing {
  bytes = 0;
  readonly #hashing: FolderHashing;
  readonly #target: Target;
  readonly #manifest: Manifest;
  readonly #changed: string[] = [];
  readonly #missing: string[] = [];
  readonly #extra: string[] = [];

  constructor(hashing: FolderHashing, target: Target, manifest: Manifest) {
    this.#hashing = hashing;
    this.#target = target;
    this.#manifest = manifest;
  }

  async compare(file: ManifestFile, list: ChunkList): Promise<void> {
    const { path, size, sha256 } = file;
    const found = await this.#found(path, this.#hashing.chunksOf(file));
    if (found === undefined) return;
    const whole = found.sha256 === undefined || found.sha256 === sha256;
    const chunks = found.chunks ?? new Uint8Array(0);
    const inOrder = Array.from({ length: list.count }, (_, i) =>
      equal(chunks.subarray(32 * i, 32 * i + 32), list.at(i)),
    );
    if (whole && !inOrder.includes(false)) this.bytes += size;
    else this.#changed.push(path);
  }

  /** A file that was not selected need not be there; if it is, it must be the right one. */
  async compareIfThere(file: ManifestFile): Promise<void> {
    const { path, sha256 } = file;
    if ((await this.#target.find(path).catch(() => true)) === undefined) return;
    const found = await this.#found(path, this.#hashing.wholeOf(file));
    if (found !== undefined && found.sha256 !== sha256) this.#changed.push(path);
  }

  async findExtra(): Promise<void> {
    for await (const { path } of walkFolder(this.#target.folder, isIgnored)) {
      if (findFile(this.#manifest, path) === undefined) this.#extra.push(path);
    }
  }

  /** Everything that does not fit, the first of it by name; undefined when all fits. */
  damage() {
    const [changed, missing, extra] = [this.#changed, this.#missing, this.#extra].map((paths) =>
      paths.toSorted(),
    ) as [string[], string[], string[]];
    const count = changed.length + missing.length + extra.length;
    if (count === 0) return undefined;
    const first =
      changed[0] !== undefined
        ? `${changed[0]} is not what was released`
        : missing[0] !== undefined
          ? `${missing[0]} is missing`
          : `${extra[0]} is not part of the release`;
    const others = count === 1 ? '' : `, and ${count - 1} more files are wrong`;
    const message = `${first}${others}; do not use them, pull the release again`;
    return refusal('digest-mismatch', message, { changed, missing, extra });
  }

  /** What was found of the file; undefined, and noted, when it is not as it should be. */
  async #found(path: string, hashes: Promise<Hashes>): Promise<Hashes | undefined> {
    try {
      return await hashes;
    } catch (error) {
      if (isCoded(error, 'not-found')) this.#missing.push(path);
      else if (isCoded(error, 'file-changed') || isCoded(error, 'bad-path'))
        this.#changed.push(path);
      else throw error;
      return undefined;
    }
  }
}

/** What a signature leaves out of account, and the signature itself. */
function isIgnored(path: string): boolean {
  return path === MODEL_SIGNATURE || (IGNORE_PATHS as readonly string[]).includes(path);
}

/** A release has files, and a pull that selects none of them is refused. */
function nothingSelected(): Verdict<VerifiedFolder> {
  const message = `${SUMMARY} says that no file of the release was selected; pull the release again`;
  return refusal('digest-mismatch', message);
}

function goodFolder(
  verified: VerifiedRelease,
  root: TrustRoot,
  { bytes }: Comparing,
  files: number,
  { full = false }: VerifyOptions,
): Verdict<VerifiedFolder> {
  const { release, digest, index, manifest } = verified;
  const total = manifest.files.length;
  const partial = files < total;
  const part = partial ? `${files} of ${total}` : `all ${files}`;
  const how = full ? 'the chunks and the SHA-256 of' : 'the chunks (sha256: attested) of';
  const checks = [
    ...verified.checks,
    `${how} ${part} files, ${bytes} bytes, are the manifest’s`,
    ...(partial
      ? [`${total - files} of ${total} need not be there, says ${SUMMARY}, which nobody signed`]
      : []),
  ];
  const reference = formatReleaseName(release);
  return {
    ok: true,
    release,
    reference,
    digest,
    index,
    files,
    total,
    partial,
    bytes,
    checks,
    root,
  };
}
