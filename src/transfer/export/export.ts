/**
 * `export`: a release into a place that other programs read without a network: the cache of
 * Hugging Face's clients, or an OCI image layout. It is pulled and verified first, into a folder
 * beside its destination; then its files are given their names there, without being copied. Nothing
 * is under a name that others read before it is verified and whole.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readInventory } from '../../client/inventory.ts';
import type { Reader } from '../../client/release.ts';
import { CodedError } from '../../core/error.ts';
import { parseEntry } from '../../core/log/entry.ts';
import { type Manifest, parseManifest } from '../../core/release/manifest.ts';
import { parseReleaseName, type Reference } from '../../core/release/name.ts';
import type { ReleaseDocuments } from '../../core/verify/release.ts';
import type { Inventory } from '../../core/weights/inventory.ts';
import { MAX_SUMMARISED_BYTES } from '../../core/weights/summary.ts';
import type { HashingPool } from '../../hashing/pool.ts';
import { readLeft } from '../left-documents.ts';
import { type PullOptions, type PullResult, pull } from '../pull.ts';
import { Target } from '../target.ts';

/** Where a release lies while it is being exported, below the destination. */
const STAGING = '.weighhouse-export';

/** A release that was pulled, verified and is to be given other names. */
export interface Pulled {
  /** Where its files lie. They may be moved. */
  readonly folder: string;
  readonly manifest: Manifest;
  /** Its tensors; undefined where there are none, or more than are summed up. */
  readonly inventory: Inventory | undefined;
  readonly documents: ReleaseDocuments;
  /** Of its entry in the log. */
  readonly time: string;
  readonly result: PullResult;
  /** True when the newest release was asked for. */
  readonly isNewest: boolean;
}

/** Gives the files of a release their names below `folder`. */
export type Arrange = (pulled: Pulled, folder: string) => Promise<void>;

/** Exports the release that `asked` names. Throws what `pull` throws. */
export async function exportRelease(
  reader: Reader,
  pool: HashingPool,
  asked: Reference,
  folder: string,
  arrange: Arrange,
  options: Omit<PullOptions, 'include' | 'exclude' | 'dryRun'> = {},
): Promise<PullResult> {
  const staging = join(folder, STAGING, `${asked.namespace}--${asked.name}`);
  const result = await pull(reader, pool, asked, staging, options);
  const { documents } = await readLeft(await Target.open(staging));
  const parsed = parseEntry(documents.entry);
  if (!parsed.known || parsed.entry.kind !== 'release') {
    throw new CodedError('internal', 'a pulled release was left with another entry');
  }
  const { time } = parsed.entry;
  const manifest = parseManifest(documents.manifest);
  const inventory = await readSummarised(reader, manifest, options.signal);
  const isNewest = asked.at === undefined;
  const pulled = { folder: staging, manifest, inventory, documents, time, result, isNewest };
  await arrange(pulled, folder);
  await rm(join(folder, STAGING), { recursive: true, force: true });
  return result;
}

async function readSummarised(
  reader: Reader,
  manifest: Manifest,
  signal: AbortSignal | undefined,
): Promise<Inventory | undefined> {
  const { tensors } = manifest;
  if (tensors === undefined || tensors.size > MAX_SUMMARISED_BYTES) return undefined;
  return readInventory(reader, { manifest, release: parseReleaseName(manifest.release) }, signal);
}
