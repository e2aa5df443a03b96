/**
 * The log of a pinned registry as it is now: its checkpoint is signed, and it has only grown
 * since it was last seen. What is read from the tree is checked against that checkpoint.
 */

import type { TileTree } from '../core/log/tile-tree.ts';
import { verifyCheckpoint } from '../core/verify/checkpoint.ts';
import { accept } from './accept.ts';
import type { PublicApi } from './public-api.ts';
import type { Reader } from './release.ts';
import { newestRoot, pinOf } from './trust.ts';
import { headOf, openView } from './view.ts';

export interface OpenLog {
  readonly tree: TileTree;
  /** Entries in it. */
  readonly size: number;
  /** The signed checkpoint, verbatim. */
  readonly note: Uint8Array;
}

/** Opens the log. Throws `untrusted` for a registry that is not pinned, `rolled-back`, `fork`. */
export async function openLog(
  { host, api, pins, clock }: Reader<PublicApi>,
  signal: AbortSignal,
): Promise<OpenLog> {
  const pin = await pinOf(api, pins, signal);
  const { root } = await newestRoot(
    host,
    pins,
    pin,
    (version) => api.root(version, { signal }),
    clock(),
  );
  const note = await api.checkpoint({ signal });
  accept(verifyCheckpoint(host, root, note));
  const seen = await pins.seen(pin.origin);
  const view = await openView(host, [headOf(note)], seen, (path) => api.tile(path, { signal }));
  const heads = seen?.heads === undefined ? {} : { heads: seen.heads };
  await pins.saveSeen(pin.origin, { checkpoint: note, ...heads });
  return { tree: view.tree, size: view.newest.size, note };
}
