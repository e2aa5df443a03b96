/**
 * Sealing: the files of a draft become a manifest, whose digest is what people decide on.
 * The registry believes nothing that it was told: it looks into every file, reads every byte
 * back from the store and compares every digest.
 *
 * A seal runs in the background, and any server can be asked about it (`seal-progress.ts`).
 * What counts of it is what it has read (`read-back.ts`): after a crash whoever wants it asks
 * any server for it again, and it goes on where it was.
 */
import { BoundedMap } from '../core/bounded-map.ts';
import { CodedError, isCoded } from '../core/error.ts';
import { inParallel } from '../core/parallel.ts';
import { formatManifest, parseManifest } from '../core/release/manifest.ts';
import { formatReleaseName, type ReleaseName } from '../core/release/name.ts';
import { parseFilePath } from '../core/release/path.ts';
import { Turnstile } from '../core/turnstile.ts';
import { type Format, isFormat } from '../core/weights/format.ts';
import {
  type Inspection,
  inspectFile,
  inspectRelease,
  refuseCode,
} from '../core/weights/inspect.ts';
import { formatInventory } from '../core/weights/inventory.ts';
import { requireUploader } from './access.ts';
import { requirePublished } from './bases.ts';
import type { Chores } from './chores.ts';
import { readerOfBlob } from './content.ts';
import type { DraftIn } from './documents/draft.ts';
import { isStored, type StoredFile } from './documents/file.ts';
import type { Drafts } from './drafts.ts';
import type { Files } from './files.ts';
import type { Namespaces } from './namespaces.ts';
import type { RegistryParts } from './parts.ts';
import { ReadAhead } from './read-ahead.ts';
import { ReadBack, type Reading } from './read-back.ts';
import type { Caller, DraftStatus, SealRequest } from './registry.ts';
import type { RegistrySeals } from './registry-seal.ts';
import type { Releases } from './releases.ts';
import { SealProgress } from './seal-progress.ts';
import { beingSealed, isSameRequest, parseRequest } from './seal-request.ts';
import type { Telling } from './seal-telling.ts';
import { compareFiles, inventoryOf, isManifestOf, manifestOf, type ReadFile } from './sealed.ts';
import { Statements } from './statements.ts';
import type { Uploads } from './uploads.ts';

/** Files that are looked into, or read back, at the same time; the hashing pool bounds the work. */
const PARALLEL = 16;
/** Failed seals that are remembered here. */
const KEPT_FAILURES = 1_000;
/** Seals that read at the same time; each of them reads many files. */
export const SEALS_AT_ONCE = 8;
/** Seals that run or wait for their turn, on one server. */
export const MAX_SEALS = 256;
/** Seconds after which a seal that found no place is worth asking for again. */
const RETRY_AFTER_SECONDS = 10;
/** Missing files that an error names. */
const NAMED = 5;

/** A seal under way. */
interface Run {
  readonly request: SealRequest;
  readonly progress: { bytes: number; total: number };
  readonly abort: AbortController;
  done: Promise<void>;
}

/** Why the last seal of a draft failed. */
interface Failure {
  readonly code: string;
  readonly message: string;
}

/** The other use cases that a seal is made of. */
interface Rooms {
  readonly drafts: Drafts;
  readonly files: Files;
  readonly uploads: Uploads;
  readonly namespaces: Namespaces;
  readonly chores: Chores;
  readonly seals: RegistrySeals;
  readonly releases: Releases;
}

export class Seals {
  readonly #parts: RegistryParts;
  readonly #rooms: Rooms;
  readonly #readBack: ReadBack;
  readonly #readAhead: ReadAhead;
  readonly #statements: Statements;
  readonly #progress: SealProgress;
  readonly #runs = new Map<string, Run>();
  /** Why seals failed of which the store took no note, such as those that a full disk has ended. */
  readonly #untold = new BoundedMap<string, Failure>(KEPT_FAILURES);
  readonly #turns = new Turnstile(SEALS_AT_ONCE);
  #isClosed = false;

  constructor(parts: RegistryParts, rooms: Rooms) {
    this.#parts = parts;
    this.#rooms = rooms;
    this.#readBack = new ReadBack(parts, rooms.files, rooms.chores);
    this.#readAhead = new ReadAhead(parts, this.#readBack);
    this.#statements = new Statements(parts);
    this.#progress = new SealProgress(parts);
  }

  /** Reads a file back that has just come whole, so that the seal need not. */
  async readAhead(release: ReleaseName, file: StoredFile): Promise<void> {
    const draft = await this.#rooms.drafts.get(release);
    if (draft.state === 'draft') this.#readAhead.begin({ release, revision: draft.revision }, file);
  }

  /**
   * Begins to seal exactly the files at `paths`; the same request again joins the seal that
   * runs, or finds the draft sealed that way already. Throws `conflict` while another one runs.
   */
  async begin(caller: Caller, release: ReleaseName, asked: SealRequest): Promise<void> {
    requireUploader(caller, release);
    const request = parseRequest(asked);
    if (this.#joins(release, request)) return;
    const draft = await this.#rooms.drafts.get(release);
    if (draft.state === 'sealed' && (await this.#isSealedAs(release, draft, request))) return;
    if (await this.#runsElsewhere(release, request)) return;
    await requirePublished(this.#rooms.releases, request);
    const open = await this.#rooms.drafts.reopen(caller, release);
    if (!this.#joins(release, request)) await this.#start(release, open, request);
  }

  /** How the seal goes, here or elsewhere, or why the last one failed; undefined when nobody knows of one. */
  async progress(release: ReleaseName): Promise<DraftStatus['seal']> {
    const run = this.#runs.get(formatReleaseName(release));
    if (run !== undefined) return { running: true, ...run.progress };
    const noted = (await this.#progress.elsewhere(release))?.seal;
    const error = this.#untold.get(formatReleaseName(release));
    return noted ?? (error && { running: false, error });
  }

  /** Stops the seals that run, at a point from which they can go on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { abort } of this.#runs.values()) abort.abort();
    await this.#readAhead.close();
    await Promise.all([...this.#runs.values()].map(({ done }) => done));
  }

  #joins(release: ReleaseName, request: SealRequest): boolean {
    const run = this.#runs.get(formatReleaseName(release));
    if (run === undefined) return false;
    if (isSameRequest(run.request, request)) return true;
    throw beingSealed(release);
  }

  /** As `#joins`, for a seal that another server runs. */
  async #runsElsewhere(release: ReleaseName, request: SealRequest): Promise<boolean> {
    const other = await this.#progress.elsewhere(release);
    if (!other?.seal.running) return false;
    if (this.#progress.isSame(other.request, request)) return true;
    throw beingSealed(release);
  }

  /** Resolves once no server says any more that an earlier seal failed. */
  async #start(release: ReleaseName, draft: DraftIn<'draft'>, request: SealRequest): Promise<void> {
    if (this.#isClosed) throw stopping();
    if (this.#runs.size >= MAX_SEALS) {
      const message = 'more drafts wait to be sealed here than there are places; seal again later';
      throw new CodedError('overloaded', message, { retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    const name = formatReleaseName(release);
    const progress = { bytes: 0, total: 0 };
    const run: Run = { request, progress, abort: new AbortController(), done: Promise.resolve() };
    this.#untold.delete(name);
    this.#runs.set(name, run);
    const telling = this.#progress.tell(release, run, () => run.abort.abort());
    run.done = this.#sealAndTell(release, draft, run, telling)
      .catch(() => {}) // told already
      .finally(() => this.#runs.delete(name));
    await telling;
  }

  /** Seals, and lets the other servers know how it goes. */
  async #sealAndTell(
    release: ReleaseName,
    draft: DraftIn<'draft'>,
    run: Run,
    begun: Promise<Telling>,
  ): Promise<void> {
    const telling = await begun;
    try {
      await this.#turns.pass(() => this.#seal(release, draft, run));
    } catch (error) {
      const { code, message } = described(error);
      // Whoever stopped it may be followed by another at once.
      if (isCoded(error, 'interrupted')) await telling.end();
      else if (!(await telling.failed(code, message))) {
        this.#untold.set(formatReleaseName(release), { code, message });
      }
      throw error;
    }
    await telling.end();
  }

  // ------------------------------------------------------------------ the seal itself

  async #seal(release: ReleaseName, draft: DraftIn<'draft'>, run: Run): Promise<void> {
    if (run.abort.signal.aborted) throw stopping();
    const files = await this.#storedFiles(release, run.request.paths);
    run.progress.total = files.reduce((sum, file) => sum + file.size, 0);
    const reading = readingOf(release, draft, run);

    const inspected = await inParallel(files, PARALLEL, async (file) => ({
      file,
      inspection: await this.#inspect(reading, file),
    }));
    await this.#judge(
      release,
      inspected.map(({ inspection }) => inspection),
    );
    const read = await inParallel(inspected, PARALLEL, async ({ file, inspection }) => {
      const newest = await this.#readAheadOf(reading, file);
      const tensors = await this.#readBack.read(reading, newest, inspection.tensors ?? []);
      return { file: newest, inspection, tensors };
    });

    const inventory = await this.#writeInventory(read);
    const manifest = manifestOf(this.#parts.origin, draft, run.request, read, inventory);
    await this.#close(release, draft, formatManifest(manifest));
    this.#rooms.uploads.forget(files.map(({ content }) => content.blob));
  }

  /** The files at `paths`, by code point. Throws `conflict` naming those that are not there. */
  async #storedFiles(release: ReleaseName, paths: readonly string[]): Promise<StoredFile[]> {
    const found = await inParallel(paths, PARALLEL, (path) =>
      this.#rooms.files.find(release, path),
    );
    const missing = paths.filter((_, i) => !isStored(found[i]));
    if (missing.length === 0) return found.filter(isStored).sort(compareFiles);
    throw new CodedError(
      'conflict',
      `${missing.length} files are not uploaded, among them ${missing.slice(0, NAMED).join(', ')}; push again`,
      { missing: missing.slice(0, NAMED) },
    );
  }

  /** Looks into a file. One that makes no sense may be damaged: then that is what is said. */
  async #inspect(reading: Reading, file: StoredFile): Promise<Inspection> {
    const { store } = this.#parts;
    try {
      const reader = readerOfBlob(store, file.content.blob, file.size);
      return await inspectFile(parseFilePath(file.path), reader);
    } catch (error) {
      if (isCoded(error)) await this.#readBack.check(reading, file);
      throw error;
    }
  }

  /** What no single file shows: shards that belong together, and code that the policy does not allow. */
  async #judge(release: ReleaseName, inspections: readonly Inspection[]): Promise<void> {
    inspectRelease(inspections);
    const { namespaces } = this.#rooms;
    const { policy } = await namespaces.inForce(release.namespace);
    refuseCode(inspections, new Set<Format>(policy.formats.allow.filter(isFormat)));
  }

  /** The file as it is noted once nobody reads it ahead any more. */
  async #readAheadOf({ release, onBytes }: Reading, file: StoredFile): Promise<StoredFile> {
    if (!(await this.#readAhead.join(file.content.blob, onBytes))) return file;
    const [newest] = await this.#storedFiles(release, [file.path]);
    return newest!;
  }

  async #writeInventory(read: readonly ReadFile[]) {
    const files = inventoryOf(read);
    if (files.length === 0) return undefined;
    const bytes = formatInventory({ files });
    return { sha256: await this.#statements.put(bytes), size: bytes.length };
  }

  /** The draft is sealed, unless it went on without this seal. */
  async #close(release: ReleaseName, open: DraftIn<'draft'>, manifest: Uint8Array): Promise<void> {
    const digest = await this.#statements.put(manifest);
    await this.#rooms.seals.mark(open);
    const draft = await this.#rooms.drafts.change(release, (current) => {
      const isOurs = current?.state === 'draft' && current.revision === open.revision;
      return isOurs ? { ...current, state: 'sealed', digest } : current!;
    });
    // Another process may have sealed the same; that comes to the same bytes.
    if (draft.state === 'sealed' && draft.digest === digest) return this.#rooms.seals.finish(draft);
    throw new CodedError('conflict', `${draft.release} was ${draft.state} while it was sealed`);
  }

  async #isSealedAs(
    release: ReleaseName,
    draft: DraftIn<'sealed'>,
    request: SealRequest,
  ): Promise<boolean> {
    const manifest = parseManifest(await this.#statements.get(draft.digest));
    const found = await inParallel(request.paths, PARALLEL, (path) =>
      this.#rooms.files.find(release, path),
    );
    return isManifestOf(manifest, request, found.filter(isStored).sort(compareFiles));
  }
}

function stopping(): CodedError {
  return new CodedError('interrupted', 'the server is stopping; seal again');
}

function readingOf(release: ReleaseName, { revision }: DraftIn<'draft'>, run: Run): Reading {
  return {
    release,
    revision,
    signal: run.abort.signal,
    onBytes: (more) => {
      run.progress.bytes += more;
    },
  };
}

function described(error: unknown): Failure {
  if (isCoded(error)) return { code: error.code, message: error.message };
  return { code: 'internal', message: `the seal failed: ${(error as Error).message}` };
}
