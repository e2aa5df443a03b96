/**
 * One view of a registry's log. Every checkpoint that a registry shows in the course of one
 * command, in proofs, in `model.sig` and by itself, must be of one and the same log, and of
 * one that has only grown since it was last seen: the largest of them must begin with each
 * of the others. What does not fit is a fork, and the two signed checkpoints are its evidence.
 */
import { equal, parseUtf8 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { parseCheckpoint } from '../core/log/checkpoint.ts';
import type { ReadTile } from '../core/log/tile-reader.ts';
import { openTileTree, type TileTree } from '../core/log/tile-tree.ts';
import { parseNote } from '../core/note/note.ts';
import type { Seen } from './pins.ts';

/** A checkpoint whose signatures were checked, with the note that says it. */
export interface SignedHead {
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: Uint8Array;
}

/** Reads the tree head in a note that was opened before; checks no signature. */
export function headOf(note: Uint8Array): SignedHead {
  const { size, root } = parseCheckpoint(parseNote(note).text);
  return { size, root, note };
}

/** The log as it was shown: its largest tree, which begins with all the others. */
export interface LogView {
  readonly newest: SignedHead;
  readonly tree: TileTree;
}

/**
 * Opens the one view that `shown` are all of. Throws `rolled-back` when the largest is
 * smaller than what was seen before, `fork` when two are inconsistent, and what reading
 * tiles throws.
 */
export async function openView(
  host: Host,
  shown: readonly SignedHead[],
  seen: Seen | undefined,
  read: ReadTile,
): Promise<LogView> {
  const newest = shown.reduce((largest, head) => (head.size > largest.size ? head : largest));
  const before = seen === undefined ? undefined : headOf(seen.checkpoint);
  if (before !== undefined && newest.size < before.size) throw rolledBack(before, newest);
  // The two notes say it all; the tiles of either could only be missing.
  if (before?.size === newest.size && !equal(before.root, newest.root)) throw fork(before, newest);
  const tree = await openTileTree(host, newest, read);
  for (const head of [...(before === undefined ? [] : [before]), ...shown]) {
    if (!equal(await tree.rootAt(head.size), head.root)) throw fork(head, newest);
  }
  return { newest, tree };
}

/** Of two memories of one log the larger checkpoint and the later heads entry. */
export function newestSeen(before: Seen | undefined, now: Seen): Seen {
  if (before === undefined) return now;
  const isLarger = headOf(before.checkpoint).size > headOf(now.checkpoint).size;
  const isLater = (before.heads?.index ?? -1) > (now.heads?.index ?? -1);
  const { checkpoint } = isLarger ? before : now;
  const { heads } = isLater ? before : now;
  return heads === undefined ? { checkpoint } : { checkpoint, heads };
}

/** Text that a third party can check by itself: both notes carry the log's signature. */
function evidence(first: SignedHead, second: SignedHead) {
  return { checkpoints: [first, second].map(({ note }) => parseUtf8(note)) };
}

function rolledBack(before: SignedHead, newest: SignedHead): CodedError {
  return new CodedError(
    'rolled-back',
    `the registry shows a log of ${newest.size} entries, but one of ${before.size} was seen before; ask its operator`,
    evidence(before, newest),
  );
}

function fork(head: SignedHead, newest: SignedHead): CodedError {
  return new CodedError(
    'fork',
    `the registry’s log of ${newest.size} entries does not begin with its log of ${head.size}: two logs are shown under one name`,
    evidence(head, newest),
  );
}
