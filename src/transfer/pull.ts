/**
 * `pull`: a release into a folder. Nothing is believed before it is checked, and nothing has
 * its final name before it is believed:
 *
 *   1. resolve the reference against the pinned root (client/release.ts)
 *   2. look at what is there already: files that are right are kept, damaged ones and
 *      unfinished ones are kept as far as their chunks fit
 *   3. make sure that there is room
 *   4. fetch the missing chunks, each checked while it arrives
 *   5. give every file its name when all its chunks are there
 *   6. leave the documents for `verify`, `release.json` last
 *
 * Stopped at any point, the same command goes on from there.
 */
import { type Reader, type ResolvedRelease, resolveRelease } from '../client/release.ts';
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import type { ManifestFile } from '../core/release/manifest.ts';
import type { Reference } from '../core/release/name.ts';
import { formatReleaseName } from '../core/release/name.ts';
import type { LoggedAdvisory } from '../core/verify/freshness.ts';
import type { HashingPool } from '../hashing/pool.ts';
import { type ReleaseLists, readChunkLists } from './chunk-lists.ts';
import { type DownloadFile, download } from './download/downloader.ts';
import { DownloadThreads } from './download/thread.ts';
import { isPartial, type Selection, selector } from './glob.ts';
import { leaveDocuments } from './left-documents.ts';
import type { OnProgress } from './progress.ts';
import { withLock } from './pull-lock.ts';
import { type PullPlan, planAfresh, planPull } from './pull-plan.ts';
import { requireRoom } from './room.ts';
import { PARTIAL_FOLDER, Target } from './target.ts';

export interface PullOptions extends Selection {
  readonly acceptRecalled?: boolean;
  /** Say what would be done; change nothing. */
  readonly dryRun?: boolean;
  readonly connections?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface PullResult {
  readonly reference: string;
  readonly digest: Digest;
  /** Log index of the release. */
  readonly index: number;
  /** Files that were selected, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Bytes that had to be fetched; with `dryRun`, that would have to be. */
  readonly fetched: number;
  readonly advisories: readonly LoggedAdvisory[];
  /** True when the registry has a newer release of this model. */
  readonly superseded: boolean;
}

/** Pulls the release that `asked` names into `folder`. `pool` is the caller's to close. */
export async function pull(
  reader: Reader,
  pool: HashingPool,
  asked: Reference,
  folder: string,
  options: PullOptions = {},
): Promise<PullResult> {
  // They start while the release is being resolved.
  const threads = options.dryRun === true ? undefined : new DownloadThreads(options.connections);
  try {
    const resolved = await resolveRelease(reader, asked, options);
    const selected = select(resolved, options);
    const lists = await readLists(reader, resolved, selected, options.signal);
    const plan =
      threads === undefined
        ? await planOnly(pool, folder, resolved, selected, lists, options)
        : await pullInto(folder, { reader, pool, threads, resolved, selected, lists, options });
    return resultOf(resolved, selected, plan);
  } finally {
    await threads?.close();
  }
}

/** Everything that is known before the folder is looked at. */
interface Pull {
  readonly reader: Reader;
  readonly pool: HashingPool;
  readonly threads: DownloadThreads;
  readonly resolved: ResolvedRelease;
  readonly selected: readonly ManifestFile[];
  readonly lists: ReleaseLists;
  readonly options: PullOptions;
}

async function pullInto(folder: string, it: Pull): Promise<PullPlan> {
  const { pool, resolved, selected, lists, options } = it;
  const target = await Target.make(folder);
  return withLock(target, async () => {
    const plan = await planPull(pool, target, resolved.verified, selected, lists, options);
    await requireRoom(target.folder, plan.room);
    for (const { partial, good } of plan.damaged) await partial.adopt(good);
    await fetchMissing(target, plan, it);
    for (const path of plan.leftovers) await target.remove(path);
    await target.syncFolders(selected.map(({ path }) => path));
    await leaveEverything(target, it);
    await target.removePartials();
    return plan;
  });
}

/** What would be done; nothing is made. */
async function planOnly(
  pool: HashingPool,
  folder: string,
  resolved: ResolvedRelease,
  selected: readonly ManifestFile[],
  lists: ReleaseLists,
  options: PullOptions,
): Promise<PullPlan> {
  const target = await Target.open(folder).catch(() => undefined);
  if (target === undefined) return planAfresh(selected);
  return planPull(pool, target, resolved.verified, selected, lists, options);
}

function readLists(
  { host, api }: Reader,
  { verified }: ResolvedRelease,
  selected: readonly ManifestFile[],
  signal: AbortSignal | undefined,
): Promise<ReleaseLists> {
  return readChunkLists(host, selected, (file) =>
    api.chunkList(verified.release, file.path, { signal }),
  );
}

/** The files that the person wants. Throws `usage` when there are none. */
function select(resolved: ResolvedRelease, selection: Selection): readonly ManifestFile[] {
  const isSelected = selector(selection);
  const selected = resolved.verified.manifest.files.filter(({ path }) => isSelected(path));
  if (selected.length > 0) return selected;
  const name = formatReleaseName(resolved.verified.release);
  throw new CodedError('usage', `no file of ${name} fits --include and --exclude`);
}

async function fetchMissing(target: Target, plan: PullPlan, it: Pull): Promise<void> {
  const { threads, options } = it;
  const { signal, onProgress } = options;
  const { api } = it.reader;
  const { release } = it.resolved.verified;
  await target.makeFolderOf(`${PARTIAL_FOLDER}/file`);
  for (const partial of plan.ready) {
    partial.open();
    await partial.finish();
  }
  const files = plan.fetch.map(({ partial, missing }): DownloadFile => {
    const { path, size, list } = partial.wanted;
    return {
      path,
      url: api.fileUrl(release, path),
      size,
      list,
      missing,
      open: () => partial.open(),
      arrived: (chunk) => partial.note(chunk),
      complete: () => partial.finish(),
    };
  });
  if (files.length === 0) return;
  const report = (bytes: number, file: string) =>
    onProgress?.({
      phase: 'download',
      bytes: plan.total - plan.bytes + Math.min(bytes, plan.bytes),
      total: plan.total,
      file,
    });
  try {
    const { token, pauses } = api.http;
    await download(files, threads, { token, pauses, signal, onProgress: report });
  } finally {
    for (const { partial } of plan.fetch) partial.close();
  }
}

async function leaveEverything(target: Target, it: Pull): Promise<void> {
  const { reader, resolved, selected, lists, options } = it;
  const { verified, documents, roots, root } = resolved;
  const summary = {
    v: 1 as const,
    reference: formatReleaseName(verified.release),
    digest: verified.digest,
    origin: root.origin,
    index: verified.index,
    url: reader.api.http.url,
    pulled: new Date(reader.clock()).toISOString(),
    ...(isPartial(options) ? { selected: selected.map(({ path }) => path) } : {}),
  };
  await leaveDocuments(target, { documents, summary, lists: lists.documents, roots });
}

function resultOf(
  { verified, advisories, superseded }: ResolvedRelease,
  selected: readonly ManifestFile[],
  plan: PullPlan,
): PullResult {
  return {
    reference: formatReleaseName(verified.release),
    digest: verified.digest,
    index: verified.index,
    files: selected.length,
    bytes: plan.total,
    fetched: plan.bytes,
    advisories,
    superseded,
  };
}
