/** What is told of a model: the answer of `/api/models/{id}` in its variants. */
import { createHash } from 'node:crypto';
import { digestHex } from '../../core/digest.ts';
import { formatModel } from '../../core/release/name.ts';
import { revisionOf } from '../../core/release/revision.ts';
import type { CatalogueRelease } from '../../index/catalogue.ts';
import type { Card } from '../cards.ts';
import { filesOf, pointerTo, type RepoFile, type Snapshot } from './snapshot.ts';

/** Which parts a client asks for. */
export interface InfoQuery {
  /** Are its bytes for readers alone? */
  readonly isGated: boolean;
  /** With sizes and digests of the files. */
  readonly blobs: boolean;
  readonly securityStatus: boolean;
  /** Only these properties, when there are any. */
  readonly expand: readonly string[];
}

/** What never depends on the release: nobody counts here, and what is shown is public. */
const CONSTANT = {
  private: false,
  disabled: false,
  downloads: 0,
  downloadsAllTime: 0,
  likes: 0,
  spaces: [],
} as const;

/** Properties that stand in every answer. */
const ALWAYS = ['_id', 'id', 'modelId'];
/** Properties that a client gets only when it asks for them. */
const ON_DEMAND = new Set(['downloadsAllTime']);

/** The model at a revision. */
export function modelInfo(
  snapshot: Snapshot,
  card: Card,
  createdAt: string,
  query: InfoQuery,
): object {
  const { published, revision } = snapshot;
  const whole = {
    ...identityOf(formatModel(snapshot.model)),
    ...CONSTANT,
    gated: gated(query.isGated),
    author: snapshot.model.namespace,
    sha: revision,
    lastModified: published.time,
    createdAt,
    tags: tagsOf(snapshot, card),
    ...card.fields,
    usedStorage: published.manifest.size,
    siblings: filesOf(snapshot).map((file) => siblingOf(file, query.blobs)),
    // Nothing is scanned by others here; what Weighhouse checks, it refuses before the release.
    ...(query.securityStatus
      ? { securityRepoStatus: { scansDone: true, filesWithIssues: [] } }
      : {}),
  };
  return chosen(whole, query.expand);
}

/** The model in a list: without files and card. */
export function listedInfo({ release, digest, time }: CatalogueRelease, isGated: boolean): object {
  return {
    ...identityOf(formatModel(release)),
    ...CONSTANT,
    gated: gated(isGated),
    author: release.namespace,
    sha: revisionOf(digest),
    lastModified: time,
    createdAt: time,
    tags: [],
  };
}

/** The hub’s word: somebody of the namespace gives each reader a token. */
function gated(isGated: boolean): 'manual' | false {
  return isGated ? 'manual' : false;
}

/** Only what was asked for; everything usual when nothing was. */
function chosen(whole: Record<string, unknown>, expand: readonly string[]): object {
  const wanted =
    expand.length > 0
      ? (name: string) => ALWAYS.includes(name) || expand.includes(name)
      : (name: string) => !ON_DEMAND.has(name);
  return Object.fromEntries(Object.entries(whole).filter(([name]) => wanted(name)));
}

/** Formats of the files, and what the card says, in lower case as clients filter by them. */
function tagsOf({ published }: Snapshot, card: Card): string[] {
  const formats = published.manifest.files.map(({ format }) => format);
  const known = formats.filter((format) => ['safetensors', 'gguf', 'onnx'].includes(format));
  return [...new Set([...known, ...card.tags])];
}

function identityOf(id: string) {
  // The hub's own identifiers are 24 hex digits.
  const _id = createHash('sha256').update(id).digest('hex').slice(0, 24);
  return { _id, id, modelId: id };
}

function siblingOf(file: RepoFile, blobs: boolean): object {
  if (!blobs) return { rfilename: file.path };
  const pointer = pointerTo(file);
  return {
    rfilename: file.path,
    size: file.size,
    blobId: pointer.oid,
    lfs: { sha256: digestHex(file.sha256), size: file.size, pointerSize: pointer.size },
  };
}
