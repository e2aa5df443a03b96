/** What the log holds, shown by a proof that carries its own checkpoint (C2SP tlog-proof). */
import type { Host } from '../host.ts';
import { type Checkpoint, parseCheckpoint } from '../log/checkpoint.ts';
import { type EntryKind, type EntryOf, parseEntry } from '../log/entry.ts';
import { leafHash } from '../log/merkle.ts';
import { openTlogProof, parseTlogProof, type TlogProof } from '../log/tlog-proof.ts';
import { noteVerifier, parseNote } from '../note/note.ts';
import { logKeysAt } from '../trust/periods.ts';
import type { TrustRoot } from '../trust/succession.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { checkTree } from './checkpoint.ts';

/** An entry of the kind that is due, shown by its proof to be in the log. */
export function openLogged<K extends EntryKind>(
  host: Host,
  root: TrustRoot,
  bytes: Uint8Array,
  proofBytes: Uint8Array,
  kind: K,
): Verdict<{
  readonly entry: EntryOf<K>;
  readonly index: number;
  readonly checkpoint: Checkpoint;
}> {
  const proof = parseTlogProof(proofBytes);
  const proved = openProof(host, root, proof, leafHash(host, bytes));
  if (!proved.ok) return proved;
  const parsed = parseEntry(bytes);
  if (!parsed.known || parsed.entry.kind !== kind) {
    return refusal('untrusted', `entry ${proof.index} of the log is no ${kind} entry`);
  }
  return {
    ok: true,
    entry: parsed.entry as EntryOf<K>,
    index: proof.index,
    checkpoint: proved.checkpoint,
  };
}

/** The tree in which `proof` shows a leaf with this hash, signed and cosigned as the root asks. */
export function openProof(
  host: Host,
  root: TrustRoot,
  proof: TlogProof,
  leaf: Uint8Array,
): Verdict<{ readonly checkpoint: Checkpoint }> {
  const { size } = parseCheckpoint(parseNote(proof.checkpoint).text);
  const logVerifiers = logKeysAt(root, size).map(noteVerifier);
  const opened = openTlogProof(host, proof, leaf, { origin: root.origin, logVerifiers });
  return opened.ok ? checkTree(host, root, opened.checkpoint, opened.note) : opened;
}
