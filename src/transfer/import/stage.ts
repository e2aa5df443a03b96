/**
 * The files of a source in a folder, whole and right, from which they are then pushed. The folder
 * holds these files alone, for a push takes everything that lies there.
 */
import { CodedError } from '../../core/error.ts';
import { inParallel } from '../../core/parallel.ts';
import { isLeftOut } from '../../core/release/path.ts';
import { type OnProgress, ProgressSum } from '../progress.ts';
import { withLock } from '../pull-lock.ts';
import { requireRoom } from '../room.ts';
import { Target } from '../target.ts';
import { walkFolder } from '../walk.ts';
import { fetchFile, partialNameOf } from './fetch-file.ts';
import { bytesOf, type RemoteFile, type Snapshot } from './snapshot.ts';

/** Files on their way at once. */
const CONNECTIONS = 8;

export interface StageOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** Brings what is missing into `folder`; stopped, it goes on from there. Throws as `fetchFile`, and `conflict`. */
export async function stage(
  { files, remote }: Snapshot,
  folder: string,
  { signal, onProgress }: StageOptions = {},
): Promise<void> {
  const target = await Target.make(folder);
  const sum = new ProgressSum('download', bytesOf(files), onProgress);
  await withLock(target, async () => {
    await refuseOthers(target, files);
    await requireRoom(target.folder, await bytesMissing(target, files));
    const failed = new AbortController();
    const fetching = {
      target,
      remote,
      signal: signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]),
      report: (path: string, bytes: number) => sum.set(path, bytes),
    };
    await inParallel(files, CONNECTIONS, async (file) => {
      await fetchFile(fetching, file).catch((error: unknown) => {
        failed.abort(error);
        throw error;
      });
    });
    await target.syncFolders(files.map(({ path }) => path));
    await target.removePartials();
  });
}

/** Throws `conflict` when the folder holds a file that the source has not. */
async function refuseOthers(target: Target, files: readonly RemoteFile[]): Promise<void> {
  const wanted = new Set<string>(files.map(({ path }) => path));
  for await (const { path } of walkFolder(target.folder, isLeftOut)) {
    if (wanted.has(path)) continue;
    throw new CodedError(
      'conflict',
      `${target.folder} holds ${path}, which is not among the files to import; take an empty directory with --into`,
      { path },
    );
  }
}

/** Bytes that are yet to be written, as the sizes of what is there tell. */
async function bytesMissing(target: Target, files: readonly RemoteFile[]): Promise<number> {
  let missing = 0;
  for (const file of files) {
    if ((await target.find(file.path))?.size === file.size) continue;
    const begun = (await target.find(partialNameOf(file)))?.size ?? 0;
    missing += Math.max(0, file.size - begun);
  }
  return missing;
}
