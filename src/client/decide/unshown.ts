/**
 * Why a registry shows no release where somebody asks for it. That it was not published, or was
 * withdrawn, is the registry's word. That it was published, and is denied, its own log shows: the
 * draft's status or the namespace's head leads to the entry, and the entry says what it is.
 */
import { parseBase64 } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import { parseEntry } from '../../core/log/entry.ts';
import { parseHead } from '../../core/log/heads.ts';
import { formatTlogProof } from '../../core/log/tlog-proof.ts';
import { formatReleaseName, type ReleaseName } from '../../core/release/name.ts';
import type { Reader } from '../release.ts';
import type { ShownLog } from './desk.ts';

/** A release that the registry does not show; where none of these is known, it is not published. */
export type Unshown =
  | { readonly unshown: 'withdrawn' }
  | {
      readonly unshown: 'denied';
      /** Of the release entry, with its exact bytes and its proof. */
      readonly index: number;
      readonly entry: Uint8Array;
      readonly proof: Uint8Array;
    };

/** Why it is not shown. With a token the draft says more; the head knows the newest of a name. */
export async function findUnshown(
  { api }: Pick<Reader, 'api'>,
  log: ShownLog,
  release: ReleaseName,
  signal: AbortSignal | undefined,
): Promise<Unshown | undefined> {
  const [status, head] = await Promise.all([
    orNothing(api.draftStatus(release, { signal })),
    orNothing(api.freshness(release.namespace, { signal })),
  ]);
  const newest = head && parseHead(parseBase64(head.head)).releases[release.name];
  for (const index of new Set([status?.index, newest])) {
    if (index === undefined || !(await isRelease(log, index, release))) continue;
    const hashes = await log.proveInclusion(index);
    const proof = formatTlogProof({ index, hashes, checkpoint: log.note });
    return { unshown: 'denied', index, entry: await log.entry(index), proof };
  }
  return status?.state === 'withdrawn' ? { unshown: 'withdrawn' } : undefined;
}

async function isRelease(log: ShownLog, index: number, release: ReleaseName): Promise<boolean> {
  if (index >= log.size) return false;
  const parsed = parseEntry(await log.entry(index));
  return (
    parsed.known &&
    parsed.entry.kind === 'release' &&
    parsed.entry.release === formatReleaseName(release)
  );
}

/** What not everybody is told, and what a registry without that namespace has none of. */
async function orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((error: unknown) => {
    const isRefused =
      error instanceof CodedError && ['not-authorised', 'not-found'].includes(error.code);
    if (isRefused) return undefined;
    throw error;
  });
}
