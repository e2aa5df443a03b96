/**
 * The release manifest. Its SHA-256 is *the digest* of a release: what evaluators and
 * approvers sign, what the log records, what a client asks for.
 *
 * It is canonical JSON (RFC 8785) with these members:
 *
 *     v         1
 *     origin    the registry's origin, so that no other registry can claim the release
 *     release   "namespace/name@version"
 *     draft     {revision, former, nonce}: which seal of the draft this is, the digests of
 *               the earlier ones, and 32 random bytes of the publisher's client, so that the
 *               digest cannot be guessed before publication and no two releases share it
 *     files     by code point of path: {path, size, sha256, format, chunks: {size, root}}
 *     tensors   {sha256, size} of the tensor inventory, when there are tensors
 *     executes  paths of the files that run code when the model is loaded, when there are any
 *     size      bytes of all files together
 *     source, base, companion   what the publisher says of it (`claims.ts`)
 *
 * It names no time and no person. Chunk lists and the tensor inventory are documents of
 * their own, so the manifest of a terabyte stays small.
 */
import * as v from 'valibot';
import { compareCodePoints } from '../bytes.ts';
import { CodedError } from '../error.ts';
import { formatCanonical, type JsonLimits, parseCanonical } from '../json.ts';
import { count, digest, hex32, parseShape } from '../shape.ts';
import { chunkSizeFor } from './chunks.ts';
import { claimMembers, requireBases } from './claims.ts';
import { formatReleaseName, parseReleaseName } from './name.ts';
import { parseFilePath, refuseTwins } from './path.ts';

/** Files in one release. */
export const MAX_FILES = 100_000;
/** Earlier seals of one draft. */
export const MAX_REVISIONS = 1_000;
/** Bytes of the canonical document. */
export const MANIFEST_LIMITS: JsonLimits = { maxBytes: 64 * 2 ** 20, maxDepth: 5 };

const fileSchema = v.strictObject({
  path: v.string(),
  size: count,
  sha256: digest,
  /** What the bytes are, found by content (`weights/sniff.ts`). */
  format: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,32}$/)),
  chunks: v.strictObject({ size: count, root: digest }),
});

const manifestSchema = v.strictObject({
  v: v.literal(1),
  origin: v.pipe(v.string(), v.minLength(1), v.maxLength(253)),
  release: v.string(),
  draft: v.strictObject({
    revision: v.pipe(count, v.minValue(1), v.maxValue(MAX_REVISIONS)),
    former: v.array(digest),
    nonce: hex32,
  }),
  files: v.pipe(
    v.array(fileSchema),
    v.minLength(1, 'a release has at least one file'),
    v.maxLength(MAX_FILES),
  ),
  tensors: v.exactOptional(v.strictObject({ sha256: digest, size: count })),
  executes: v.exactOptional(v.pipe(v.array(v.string()), v.minLength(1))),
  size: count,
  ...claimMembers,
});

export type Manifest = v.InferOutput<typeof manifestSchema>;
export type ManifestFile = Manifest['files'][number];

/** Canonical bytes of a manifest. Throws as `parseManifest` does for one that no reader would accept. */
export function formatManifest(manifest: Manifest): Uint8Array {
  const bytes = formatCanonical(manifest);
  parseManifest(bytes);
  return bytes;
}

/** Parses and checks a manifest. Throws `bad-json`, `bad-document`, `bad-name`, `bad-path`, `too-large`. */
export function parseManifest(bytes: Uint8Array): Manifest {
  const manifest = parseShape(
    manifestSchema,
    parseCanonical(bytes, 'the manifest', MANIFEST_LIMITS),
    'the manifest',
  );
  const name = parseReleaseName(manifest.release);
  if (formatReleaseName(name) !== manifest.release) refuse('release is not in its normal form');
  if (manifest.draft.former.length !== manifest.draft.revision - 1) {
    refuse(
      `revision ${manifest.draft.revision} must name its ${manifest.draft.revision - 1} former digests`,
    );
  }
  let total = 0;
  manifest.files.forEach((file, i) => {
    parseFilePath(file.path);
    if (i > 0 && compareCodePoints(manifest.files[i - 1]!.path, file.path) >= 0) {
      refuse(`files.${i}: paths must be in code point order, each once`);
    }
    if (file.chunks.size !== chunkSizeFor(file.size)) {
      refuse(`files.${i}: the chunk size of ${file.size} bytes is ${chunkSizeFor(file.size)}`);
    }
    total += file.size;
  });
  if (total !== manifest.size)
    refuse(`size is ${manifest.size}, but its files have ${total} bytes`);
  refuseTwins(manifest.files.map((file) => file.path));
  refuseUnknownCode(manifest);
  requireBases(manifest);
  return manifest;
}

/** The file at `path`, or undefined. */
export function findFile(manifest: Manifest, path: string): ManifestFile | undefined {
  let low = 0;
  let high = manifest.files.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const file = manifest.files[middle]!;
    const order = compareCodePoints(file.path, path);
    if (order === 0) return file;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return undefined;
}

function refuseUnknownCode(manifest: Manifest): void {
  if (manifest.executes === undefined) return;
  manifest.executes.forEach((path, i) => {
    if (findFile(manifest, path) === undefined)
      refuse(`executes.${i} names no file of the release`);
    if (i > 0 && compareCodePoints(manifest.executes![i - 1]!, path) >= 0) {
      refuse(`executes.${i}: paths must be in code point order, each once`);
    }
  });
}

function refuse(why: string): never {
  throw new CodedError('bad-document', `the manifest: ${why}`);
}
