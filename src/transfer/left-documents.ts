/**
 * What `pull` leaves beside the files, so that `verify` needs no network:
 *
 *     model.sig                            the OpenSSF model signature
 *     .weighhouse/manifest.json            what the release is; its SHA-256 is the digest
 *     .weighhouse/entry                    the exact leaf of the release
 *     .weighhouse/release.dsse             the registry's statement
 *     .weighhouse/release.tlog-proof       that the log holds the leaf
 *     .weighhouse/model-sig.tlog-proof     that the log holds the signature's record
 *     .weighhouse/chunks/<root>            the chunk list of each file of more than one chunk
 *     .weighhouse/root.<n>.json            every version of the trust root
 *     .weighhouse/release.json             for people: what was pulled, when, from where
 *
 * Only `release.json` is ours alone and signed by nobody: it says which files were selected.
 * It is written last, when everything else is there.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { type Digest, digestHex, digestOf } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { formatCanonical, parseCanonical } from '../core/json.ts';
import { MAX_CHUNK_LIST_BYTES } from '../core/release/chunks.ts';
import { MAX_DOCUMENT_BYTES } from '../core/release/documents.ts';
import {
  MANIFEST_LIMITS,
  type Manifest,
  type ManifestFile,
  parseManifest,
} from '../core/release/manifest.ts';
import { count, digest, instant, parseShape } from '../core/shape.ts';
import { ROOT_LIMITS } from '../core/trust/root.ts';
import { MAX_ROOT_STEPS } from '../core/trust/succession.ts';
import type { ReleaseDocuments } from '../core/verify/release.ts';
import { nodeHost } from '../hashing/host.ts';
import { CONTROL_FOLDER, MODEL_SIGNATURE, type Target } from './target.ts';

const NAMES = {
  manifest: `${CONTROL_FOLDER}/manifest.json`,
  entry: `${CONTROL_FOLDER}/entry`,
  releaseDsse: `${CONTROL_FOLDER}/release.dsse`,
  releaseProof: `${CONTROL_FOLDER}/release.tlog-proof`,
  recordProof: `${CONTROL_FOLDER}/model-sig.tlog-proof`,
  modelSig: MODEL_SIGNATURE,
} as const;
export const SUMMARY = `${CONTROL_FOLDER}/release.json`;
const CHUNKS = `${CONTROL_FOLDER}/chunks`;

const summarySchema = v.strictObject({
  v: v.literal(1),
  reference: v.string(),
  digest,
  origin: v.string(),
  index: count,
  url: v.string(),
  pulled: instant,
  /** Paths that were selected, when not all of them were. */
  selected: v.exactOptional(v.array(v.string())),
});

/** What was pulled, when and from where. */
export type PullSummary = v.InferOutput<typeof summarySchema>;

/** Where the chunk list of `file` is left; undefined for a file whose digest says as much. */
export function chunkListName(file: ManifestFile): string | undefined {
  return file.size > file.chunks.size ? `${CHUNKS}/${digestHex(file.chunks.root)}` : undefined;
}

/** Everything that `verify` needs, as it was left. Nothing in it is believed yet. */
export interface LeftDocuments {
  readonly documents: ReleaseDocuments;
  readonly summary: PullSummary;
}

/** Leaves everything. `lists` are the chunk lists by root. */
export async function leaveDocuments(
  target: Target,
  left: LeftDocuments & {
    readonly lists: ReadonlyMap<string, Uint8Array>;
    readonly roots: readonly Uint8Array[];
  },
): Promise<void> {
  for (const [name, bytes] of left.lists) await target.write(name, bytes);
  for (const [i, bytes] of left.roots.entries()) await target.write(rootName(i + 1), bytes);
  for (const [part, name] of Object.entries(NAMES)) {
    await target.write(name, left.documents[part as keyof typeof NAMES]);
  }
  await target.write(SUMMARY, formatCanonical(left.summary));
  await forgetOldLists(target, left.lists);
}

/** Reads what was left. Throws `not-found` where nothing was, `digest-mismatch` where a part is missing. */
export async function readLeft(target: Target): Promise<LeftDocuments> {
  const summary = await target.read(SUMMARY, MAX_DOCUMENT_BYTES);
  if (summary === undefined) {
    throw new CodedError(
      'not-found',
      `${target.folder} holds no finished pull (${SUMMARY} is missing); pull the release into it`,
    );
  }
  const documents = {} as Record<keyof typeof NAMES, Uint8Array>;
  for (const [part, name] of Object.entries(NAMES)) {
    const bytes = await target.read(name, MAX_DOCUMENT_BYTES);
    if (bytes === undefined) throw missing(name);
    documents[part as keyof typeof NAMES] = bytes;
  }
  return { documents, summary: parseSummary(summary) };
}

/** What was pulled into the folder before. */
export interface EarlierPull {
  readonly manifest: Manifest;
  readonly digest: Digest;
}

/** The manifest of an earlier pull, if there was one: its files may be replaced. */
export async function readEarlierPull(target: Target): Promise<EarlierPull | undefined> {
  const bytes = await target.read(NAMES.manifest, MANIFEST_LIMITS.maxBytes);
  if (bytes === undefined) return undefined;
  try {
    return { manifest: parseManifest(bytes), digest: digestOf(nodeHost, bytes) };
  } catch {
    // Not one that we left: then no file here is one that we may replace.
    return undefined;
  }
}

/** The chunk list of `file`, unchecked. Throws `digest-mismatch` when it is missing. */
export async function readLeftList(target: Target, name: string): Promise<Uint8Array> {
  const bytes = await target.read(name, MAX_CHUNK_LIST_BYTES);
  if (bytes === undefined) throw missing(name);
  return bytes;
}

/** Version `version` of the trust root, as it was left. */
export async function readLeftRoot(
  target: Target,
  version: number,
): Promise<Uint8Array | undefined> {
  return version > MAX_ROOT_STEPS
    ? undefined
    : target.read(rootName(version), ROOT_LIMITS.maxBytes);
}

function parseSummary(bytes: Uint8Array): PullSummary {
  const limits = { ...MANIFEST_LIMITS, maxDepth: 3 };
  return parseShape(summarySchema, parseCanonical(bytes, SUMMARY, limits), SUMMARY);
}

function rootName(version: number): string {
  return `${CONTROL_FOLDER}/root.${version}.json`;
}

/** Lists of an earlier release are of no use any more. */
async function forgetOldLists(
  target: Target,
  lists: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const names = await readdir(join(target.folder, CHUNKS)).catch((): string[] => []);
  for (const name of names.map((base) => `${CHUNKS}/${base}`)) {
    if (/^[0-9a-f]{64}$/.test(name.slice(CHUNKS.length + 1)) && !lists.has(name)) {
      await target.remove(name);
    }
  }
}

function missing(name: string): CodedError {
  return new CodedError('digest-mismatch', `${name} is missing; pull the release again`, {
    path: name,
  });
}
