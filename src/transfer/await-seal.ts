/** Waiting for a seal, whichever server runs it, and whether or not that one survives it. */
import type { DraftStatus } from '../client/answers.ts';
import type { Api, SealRequest } from '../client/api.ts';
import type { ReleaseName } from '../core/release/name.ts';

/** Milliseconds between two looks at a seal: the first, and the longest. A fifth is lost at most. */
const FIRST_LOOK = 50;
const LONGEST_LOOK = 1_000;
/** Milliseconds during which nobody knows of the seal before it is asked for again. */
const UNKNOWN = 5_000;

export interface AwaitedSeal {
  readonly api: Api;
  readonly release: ReleaseName;
  readonly request: SealRequest;
  readonly session: string | undefined;
  readonly signal: AbortSignal;
  /** Told now and then how far it is; in bytes. */
  readonly onProgress: (bytes: number, total: number) => void;
}

/** Asks for the seal and waits until it is done, or has failed; resolves to how the draft is then. */
export async function awaitSeal(awaited: AwaitedSeal): Promise<DraftStatus> {
  const { api, release, request, session, signal, onProgress } = awaited;
  const ask = () => api.seal(release, request, { session, signal });
  let status = await ask();
  let unknown = 0;
  for (let wait = FIRST_LOOK; isSealing(status); wait = Math.min(LONGEST_LOOK, wait * 1.2)) {
    if (status.seal?.running) onProgress(status.seal.bytes, status.seal.total);
    await api.http.pauses.sleep(wait, signal);
    status = await api.draftStatus(release, { session, signal });
    // The server that sealed may be gone, or another one be asked that does not know of it yet.
    unknown = status.seal === undefined ? unknown + wait : 0;
    if (!isSealing(status) || unknown < UNKNOWN) continue;
    status = await ask();
    unknown = 0;
  }
  return status;
}

function isSealing(status: DraftStatus): boolean {
  return status.state === 'draft' && status.seal?.running !== false;
}
