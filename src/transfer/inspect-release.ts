/**
 * `core/weights/inspect.ts` for a published release that stays where it is: what it consists of
 * is in its signed documents, and of its weights only the headers are read, by range.
 *
 *   1. resolve the reference against the pinned root (client/release.ts)
 *   2. read the signed tensor inventory, and plan what to read (core/weights/header-plan.ts)
 *   3. read each header, or the chunks that it lies in, and compare it with what was signed
 */
import { readInventory } from '../client/inventory.ts';
import { type Reader, type ResolvedRelease, resolveRelease } from '../client/release.ts';
import { inParallel } from '../core/parallel.ts';
import type { ChunkList } from '../core/release/chunks.ts';
import { findFile } from '../core/release/manifest.ts';
import type { Reference } from '../core/release/name.ts';
import { readHeader } from '../core/weights/header.ts';
import { type HeaderLevel, type HeaderPlan, planHeaders } from '../core/weights/header-plan.ts';
import type { Inspection } from '../core/weights/inspect.ts';
import { readChunkLists } from './chunk-lists.ts';
import { HeaderReader } from './download/headers.ts';
import { CONNECTIONS } from './download/thread.ts';
import { type OnProgress, ProgressSum } from './progress.ts';

export interface InspectReleaseOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface InspectedRelease {
  readonly resolved: ResolvedRelease;
  /** Of the files that hold weights, by code point of the path. */
  readonly inspections: readonly Inspection[];
  /** How far those were checked. */
  readonly level: HeaderLevel;
  /** Bytes of the release's files that came off the network, whether they fitted or not. */
  readonly received: number;
}

/**
 * Looks into the release that `asked` names, recalled or not. Throws `digest-mismatch` for a
 * header that is not the released one, `too-large`, and what resolving and the network throw.
 */
export async function inspectRelease(
  reader: Reader,
  asked: Reference,
  { signal, onProgress }: InspectReleaseOptions = {},
): Promise<InspectedRelease> {
  const resolved = await resolveRelease(reader, asked, { acceptRecalled: true, signal });
  const { manifest, release } = resolved.verified;
  const inventory = await readInventory(reader, resolved.verified, signal);
  const plan = planHeaders(manifest, inventory);
  const lists = await readLists(reader, resolved, plan, signal);
  const total = plan.headers.reduce((sum, { reach }) => sum + reach, 0);
  const progress = new ProgressSum('download', total, onProgress);
  const headers = new HeaderReader({ api: reader.api, release, signal });
  try {
    const inspections = await inParallel(plan.headers, CONNECTIONS, async (planned) => {
      const { file, reach } = planned;
      const inspection = await readHeader(file, await headers.read(planned, lists.get(file.path)));
      progress.set(file.path, reach);
      return inspection;
    });
    return { resolved, inspections, level: plan.level, received: headers.received };
  } finally {
    headers.close();
  }
}

/** The chunk lists that the plan needs, by path. */
async function readLists(
  { host, api }: Reader,
  { verified: { manifest, release } }: ResolvedRelease,
  { level, headers }: HeaderPlan,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, ChunkList>> {
  if (level === 'tensors') return new Map();
  const files = headers.map(({ file }) => findFile(manifest, file.path)!);
  const read = ({ path }: { readonly path: string }) => api.chunkList(release, path, { signal });
  return (await readChunkLists(host, files, read)).byPath;
}
