/**
 * Every kind of object that a store holds, and who looks after it. A key that belongs to none
 * is reported: it is either a stranger's, or a newer version's.
 *
 *     log       named by the tree or by an entry of it; must be exactly what the log says
 *     content   the bytes of files, by their digests
 *     drafts    what is not published
 *     private   small documents that must parse
 *     passing   made to be removed in a moment
 */
import type { Key, keys } from '../store/keys.ts';

export type Kind = keyof typeof keys;
export type Care = 'log' | 'content' | 'drafts' | 'private' | 'passing';

const HEX = '[0-9a-f]{64}';

export const KINDS: Readonly<Record<Kind, { readonly at: RegExp; readonly care: Care }>> = {
  checkpoint: { at: /^log\/checkpoint$/, care: 'log' },
  tile: { at: /^log\/tile\//, care: 'log' },
  root: { at: /^root\/[1-9][0-9]*$/, care: 'log' },
  roots: { at: /^roots$/, care: 'log' },
  release: { at: /^releases\//, care: 'log' },
  signature: { at: /^signatures\//, care: 'log' },
  artifacts: { at: /^artifacts\//, care: 'log' },
  artifactObject: { at: /^artifacts-by-digest\//, care: 'log' },
  namespace: { at: /^namespaces\//, care: 'log' },
  heads: { at: /^heads$/, care: 'log' },
  skeleton: { at: /^skeletons\//, care: 'log' },
  statement: { at: new RegExp(`^statements/sha256/${HEX}$`), care: 'log' },
  revision: { at: /^revisions\//, care: 'log' },
  lock: { at: /^private\/lock$/, care: 'log' },
  label: { at: new RegExp(`^private/labels/${HEX}$`), care: 'log' },
  decision: { at: new RegExp(`^private/decisions/${HEX}$`), care: 'log' },
  voided: { at: /^private\/voids\//, care: 'log' },
  announcement: { at: /^private\/announcements\//, care: 'log' },

  digest: { at: new RegExp(`^digests/sha256/[0-9a-f]{2}/[0-9a-f]{2}/${HEX}$`), care: 'content' },
  blob: { at: /^blobs\/[0-9a-f]{2}\/[0-9a-f]{32}$/, care: 'content' },
  chunks: { at: new RegExp(`^chunks/sha256/${HEX}$`), care: 'content' },

  draft: { at: /^private\/drafts\/[^/]+\/[^/]+\/[^/]+\/head$/, care: 'drafts' },
  draftFile: { at: new RegExp(`^private/drafts/[^/]+/[^/]+/[^/]+/files/${HEX}$`), care: 'drafts' },
  sealing: { at: /^private\/drafts\/[^/]+\/[^/]+\/[^/]+\/sealing$/, care: 'drafts' },

  upload: { at: /^private\/uploads\/[0-9a-f]{32}\/upload$/, care: 'private' },
  uploadPart: { at: /^private\/uploads\/[0-9a-f]{32}\/[1-9][0-9]*$/, care: 'private' },
  claim: { at: /^private\/claims\//, care: 'private' },
  publicClaim: { at: /^private\/public\//, care: 'private' },
  intent: { at: /^private\/intents\//, care: 'private' },
  unlogged: { at: /^private\/unlogged\//, care: 'private' },
  revoked: { at: /^private\/revoked\//, care: 'private' },
  quota: { at: /^private\/quotas\//, care: 'private' },
  publishers: { at: /^private\/publishers\//, care: 'private' },
  exchanged: { at: /^private\/exchanged\//, care: 'private' },
  report: { at: /^private\/reports\//, care: 'private' },
  twins: { at: /^private\/roots\//, care: 'private' },
  damaged: { at: /^private\/damaged\//, care: 'private' },
  scrub: { at: /^private\/scrub\/state$/, care: 'private' },
  staging: { at: /^private\/staging\//, care: 'private' },

  probe: { at: /^private\/probe\//, care: 'passing' },
  device: { at: /^private\/devices\//, care: 'passing' },
  turn: { at: /^private\/turns\//, care: 'passing' },
};

const ALL = Object.entries(KINDS) as [Kind, { readonly at: RegExp }][];

/** Which kind of object lies at `key`; undefined for a stranger's. */
export function kindOf(key: Key): Kind | undefined {
  return ALL.find(([, { at }]) => at.test(key))?.[0];
}
