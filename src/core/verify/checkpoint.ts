/** Is this tree one that the trust root lets us believe? */
import { utf8 } from '../bytes.ts';
import type { Host } from '../host.ts';
import { type Checkpoint, openCheckpoint, parseCheckpoint } from '../log/checkpoint.ts';
import { checkQuorum, parseTlogPolicy } from '../log/tlog-policy.ts';
import { noteVerifier, parseNote, type UnverifiedNote } from '../note/note.ts';
import { checkFinalRoot, checkPresent, logKeysAt } from '../trust/periods.ts';
import type { TrustRoot } from '../trust/succession.ts';
import type { Verdict } from '../verdict.ts';

/**
 * Opens the newest checkpoint: signed by the log's key of that size and by the witness quorum,
 * and no smaller than where the present key of the log began.
 */
export function verifyCheckpoint(
  host: Host,
  root: TrustRoot,
  note: Uint8Array,
): Verdict<{ readonly checkpoint: Checkpoint }> {
  const { size } = parseCheckpoint(parseNote(note).text);
  const opened = openCheckpoint(note, root.origin, logKeysAt(root, size).map(noteVerifier));
  if (!opened.ok) return opened;
  const present = checkPresent(root, opened.checkpoint);
  return present.ok ? checkTree(host, root, opened.checkpoint, opened.note) : present;
}

/** What is asked of a tree beyond the log's own signature. */
export function checkTree(
  host: Host,
  root: TrustRoot,
  checkpoint: Checkpoint,
  note: UnverifiedNote,
): Verdict<{ readonly checkpoint: Checkpoint }> {
  if (root.witnessPolicy !== undefined) {
    const quorum = checkQuorum(parseTlogPolicy(host, utf8(root.witnessPolicy)), note);
    if (!quorum.ok) return quorum;
  }
  const final = checkFinalRoot(root, checkpoint);
  return final.ok ? { ok: true, checkpoint } : final;
}
