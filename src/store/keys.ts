/**
 * Every key of the store, from typed arguments only: nothing that came over the wire is
 * ever pasted into a key. No key is the folder of another, none ends in `/`, no segment is
 * over 255 bytes: real stores refuse these.
 *
 *     log/checkpoint  log/tile/<L>/<N>[.p/<W>]  log/tile/entries/<N>[.p/<W>]   public
 *     root/<n>                          every version of the trust root        public
 *     roots                             where the log has each of these        public
 *     releases/<ns>/<name>/<version>    the published release                  public
 *     signatures/<ns>/<name>/<version>  its model.sig, as first shown          public
 *     artifacts/<ns>/<name>/<version>   its OCI artifacts, as first shown      public
 *     artifacts-by-digest/<ns>/<name>/<hex>  one object of these               public
 *     namespaces/<ns>                   the namespace's head                   public
 *     heads                             the newest heads entry                 public
 *     skeletons/<skeleton>              the first namespace that looks like it public
 *     digests/sha256/<aa>/<bb>/<hex>    → the content key, bound after hashing
 *     blobs/<aa>/<random>               content, served only through a release
 *     statements/sha256/<hex>           envelopes, manifests, inventories, immutable
 *     chunks/sha256/<root>              chunk lists, named by their Merkle root
 *     private/…                         never served; private/damaged/<key> says that the object
 *                                       at <key> is not what it must be
 */
import { type Digest, digestHex } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { type Model, type Namespace, type ReleaseName, versionKey } from '../core/release/name.ts';
import type { Revision } from '../core/release/revision.ts';

declare const brand: unique symbol;

/** The key of one object. Made only by this file. */
export type Key = string & { readonly [brand]: 'Key' };
/** The beginning of keys, ending in `/`. Made only by this file. */
export type KeyPrefix = string & { readonly [brand]: 'KeyPrefix' };

/**
 * Lower case alone: two keys that differ in case would be one file on some file systems.
 * `@` starts no segment: the directory store keeps its own names apart by it.
 */
const SEGMENT = /^[a-z0-9_][a-z0-9._-]{0,254}$/;
/** S3's limit is 1,024 bytes, of which a prefix in the bucket needs some. */
const MAX_KEY_LENGTH = 896;

function key(...segments: readonly string[]): Key {
  for (const segment of segments) {
    if (!SEGMENT.test(segment))
      throw new CodedError('internal', `"${segment}" is no segment of a key`);
  }
  const text = segments.join('/');
  if (text.length > MAX_KEY_LENGTH) {
    throw new CodedError('internal', `a key of ${text.length} bytes is longer than stores take`);
  }
  return text as Key;
}

/** Reads a key as a store lists it. For stores only. */
export function parseKey(text: string): Key {
  return key(...text.split('/'));
}

const release = (prefix: readonly string[], name: ReleaseName): readonly string[] => [
  ...prefix,
  name.namespace,
  name.name,
  versionKey(name.version),
];

export const keys = {
  /** The published checkpoint. */
  checkpoint: (): Key => key('log', 'checkpoint'),
  /** A tile or entry bundle, by its C2SP tlog-tiles path (`tile/0/x001/234`). */
  tile: (path: string): Key => key('log', ...path.split('/')),
  root: (version: number): Key => key('root', String(version)),
  /** At which index the log has each version of the trust root. */
  roots: (): Key => key('roots'),
  release: (name: ReleaseName): Key => key(...release(['releases'], name)),
  /** `model.sig` of a published release, as it was first shown. */
  signature: (name: ReleaseName): Key => key(...release(['signatures'], name)),
  /** The OCI artifacts of a published release, as they were first shown. */
  artifacts: (name: ReleaseName): Key => key(...release(['artifacts'], name)),
  /** What the object with that digest is among the OCI artifacts of a model. */
  artifactObject: ({ namespace, name }: Model, digest: Digest): Key =>
    key('artifacts-by-digest', namespace, name, digestHex(digest)),
  namespace: (namespace: Namespace): Key => key('namespaces', namespace),
  heads: (): Key => key('heads'),
  /** What a namespace looks like at a glance → the first that does. */
  skeleton: (skeleton: string): Key => key('skeletons', skeleton),
  digest: (digest: Digest): Key => {
    const hex = digestHex(digest);
    return key('digests', 'sha256', hex.slice(0, 2), hex.slice(2, 4), hex);
  },
  /** `random` is 32 lower-case hex digits that the server drew. */
  blob: (random: string): Key => key('blobs', random.slice(0, 2), random),
  statement: (digest: Digest): Key => key('statements', 'sha256', digestHex(digest)),
  chunks: (root: Digest): Key => key('chunks', 'sha256', digestHex(root)),
  /** Hugging Face revision → digest, one per model: first 40 hex of the digest. */
  revision: ({ namespace, name }: Model, revision: Revision): Key =>
    key('revisions', namespace, name, revision),

  /** The committed checkpoint: the commit point of the log. */
  lock: (): Key => key('private', 'lock'),
  /**
   * What one attempt to commit would write. `root` is the 64 hex digits of the tree's root,
   * `nonce` the attempt's own: the same entries can be tried twice, with other documents.
   */
  staging: (size: number, root: string, nonce: string): Key =>
    key('private', 'staging', `${size}-${root}-${nonce}`),
  /** Says that the process `name` (16 hex digits) would like to commit to the log. */
  turn: (name: string): Key => key('private', 'turns', name),
  draft: (name: ReleaseName): Key => key(...release(['private', 'drafts'], name), 'head'),
  /** How a seal of the draft goes. */
  sealing: (name: ReleaseName): Key => key(...release(['private', 'drafts'], name), 'sealing'),
  /** `path` is the SHA-256 of the file's path. */
  draftFile: (name: ReleaseName, path: Digest): Key =>
    key(...release(['private', 'drafts'], name), 'files', digestHex(path)),
  /** The upload into the blob `random`. */
  upload: (random: string): Key => key('private', 'uploads', random, 'upload'),
  /** The record of part `number` of an upload into the blob `random`. */
  uploadPart: (random: string, number: number): Key =>
    key('private', 'uploads', random, String(number)),
  /** Says that a namespace uploaded a blob with this digest, so that it may name it again. */
  claim: (namespace: Namespace, digest: Digest): Key =>
    key('private', 'claims', namespace, digestHex(digest)),
  /** Says whose published release has a file with this digest: whoever may read it may name it. */
  publicClaim: (digest: Digest): Key => key('private', 'public', digestHex(digest)),
  /** Says that the draft, as it stood at `generation`, is being published. */
  intent: (name: ReleaseName, generation: number): Key =>
    key(...release(['private', 'intents'], name), String(generation)),
  /** Says that the seal of that revision is to be logged. */
  unlogged: (name: ReleaseName, revision: number): Key =>
    key(...release(['private', 'unlogged'], name), String(revision)),
  revoked: (tokenId: string): Key => key('private', 'revoked', tokenId),
  /** The trusted publishers of a namespace. */
  publishers: (namespace: Namespace): Key => key('private', 'publishers', namespace),
  /** What a limited namespace may take up, and does. */
  quota: (namespace: Namespace): Key => key('private', 'quotas', namespace),
  /** Says that an identity token was exchanged; `expires` in seconds, `fingerprint` 64 hex digits. */
  exchanged: (expires: number, fingerprint: string): Key =>
    key('private', 'exchanged', `${expires}-${fingerprint}`),
  /**
   * A device that asks to be let in, or what came of it; `window` counts the times in which such
   * codes end, `fingerprint` is 64 hex digits.
   */
  device: (window: number, fingerprint: string, step: 'asked' | 'answer' | 'taken'): Key =>
    key('private', 'devices', `${window}-${fingerprint}`, step),
  /** The commitment with that label (64 hex digits): there exactly when the log has it. */
  label: (label: string): Key => key('private', 'labels', label),
  /** What opens the commitment with that label. */
  decision: (label: string): Key => key('private', 'decisions', label),
  /** Says that the owners of a namespace have voided a label; others cannot. */
  voided: (namespace: Namespace, label: string): Key => key('private', 'voids', namespace, label),
  /** The report of an evaluation, as somebody of the namespace sent it. */
  report: (namespace: Namespace, digest: Digest): Key =>
    key('private', 'reports', namespace, digestHex(digest)),
  /** The sealed digests of a namespace that have the same bytes (ROOT). */
  twins: (namespace: Namespace, root: Digest): Key =>
    key('private', 'roots', namespace, digestHex(root)),
  /** Where the log has the announcement whose envelope has that digest. */
  announcement: (envelope: Digest): Key => key('private', 'announcements', digestHex(envelope)),
  probe: (random: string): Key => key('private', 'probe', random),
  /** Says that the object at `object` is missing or is not what it must be. */
  damaged: (object: Key): Key => key('private', 'damaged', ...object.split('/')),
  /** How far the scrub is. */
  scrub: (): Key => key('private', 'scrub', 'state'),
} as const;

/** Folders of small documents, each of one kind. */
export type PrivateFolder =
  | 'claims'
  | 'probe'
  | 'public'
  | 'publishers'
  | 'quotas'
  | 'reports'
  | 'roots';

const prefix = (...segments: readonly string[]): KeyPrefix => `${key(...segments)}/` as KeyPrefix;

export const prefixes = {
  namespaces: (): KeyPrefix => prefix('namespaces'),
  roots: (): KeyPrefix => prefix('root'),
  /** The partial files that a tile was while it grew; `path` is its full tile's. */
  partialTiles: (path: string): KeyPrefix => prefix('log', ...`${path}.p`.split('/')),
  staging: (): KeyPrefix => prefix('private', 'staging'),
  turns: (): KeyPrefix => prefix('private', 'turns'),
  drafts: (): KeyPrefix => prefix('private', 'drafts'),
  draftsOf: (namespace: Namespace): KeyPrefix => prefix('private', 'drafts', namespace),
  draftFiles: (name: ReleaseName): KeyPrefix =>
    prefix(...release(['private', 'drafts'], name), 'files'),
  uploadParts: (random: string): KeyPrefix => prefix('private', 'uploads', random),
  intents: (): KeyPrefix => prefix('private', 'intents'),
  intentsOf: (name: ReleaseName): KeyPrefix => prefix(...release(['private', 'intents'], name)),
  unlogged: (): KeyPrefix => prefix('private', 'unlogged'),
  revoked: (): KeyPrefix => prefix('private', 'revoked'),
  exchanged: (): KeyPrefix => prefix('private', 'exchanged'),
  devices: (): KeyPrefix => prefix('private', 'devices'),
  /** The bindings of digests that begin with the two hex digits `shard`. */
  digests: (shard: string): KeyPrefix => prefix('digests', 'sha256', shard),
  /** The blobs whose names begin with the two hex digits `shard`. */
  blobs: (shard: string): KeyPrefix => prefix('blobs', shard),
  uploads: (): KeyPrefix => prefix('private', 'uploads'),
  damaged: (): KeyPrefix => prefix('private', 'damaged'),
  scrub: (): KeyPrefix => prefix('private', 'scrub'),
  /** All objects of one of the kinds that have a folder of their own below `private/`. */
  privateFolder: (folder: PrivateFolder): KeyPrefix => prefix('private', folder),
} as const;
