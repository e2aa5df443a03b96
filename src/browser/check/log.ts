/** What the log says: its newest checkpoint, that it has only grown, and that it holds the release. */
import { accept } from '../../client/accept.ts';
import type { Seen } from '../../client/pins.ts';
import { headOf, type LogView, openView, type SignedHead } from '../../client/view.ts';
import { formatBase64, parseUtf8, utf8 } from '../../core/bytes.ts';
import { CodedError, isCoded } from '../../core/error.ts';
import type { EntryOf } from '../../core/log/entry.ts';
import { leafHash } from '../../core/log/merkle.ts';
import type { ReadTile } from '../../core/log/tile-reader.ts';
import { checkQuorum, parseTlogPolicy } from '../../core/log/tlog-policy.ts';
import { parseTlogProof } from '../../core/log/tlog-proof.ts';
import { parseNote } from '../../core/note/note.ts';
import type { TrustRoot } from '../../core/trust/succession.ts';
import { verifyCheckpoint } from '../../core/verify/checkpoint.ts';
import { openLogged } from '../../core/verify/logged.ts';
import type { Found } from './found.ts';
import type { PublicReader } from './reader.ts';
import type { Fact } from './step.ts';

/** A release entry, shown to be in the log. */
export interface LoggedRelease {
  readonly entry: EntryOf<'release'>;
  readonly index: number;
}

/** The newest checkpoint, signed and cosigned as the trust root asks. */
export async function findCheckpoint(
  { host, api }: PublicReader,
  root: TrustRoot,
  signal: AbortSignal | undefined,
): Promise<Found<SignedHead>> {
  const bytes = await api.checkpoint({ signal });
  const { checkpoint } = accept(verifyCheckpoint(host, root, bytes));
  const witnesses = cosignersOf(host, root, bytes);
  const facts: Fact[] = [
    { label: 'Entries', value: String(checkpoint.size) },
    { label: 'Root', value: formatBase64(checkpoint.root), as: 'digest' },
    ...witnesses,
    { label: 'Checkpoint', value: parseUtf8(bytes), as: 'note' },
  ];
  const signed = `The checkpoint of ${checkpoint.size} entries is signed by the log’s key`;
  return {
    value: headOf(bytes),
    finding:
      root.witnessPolicy === undefined
        ? {
            said: `${signed}. No witness cosigns it: that everybody is shown this same log is the registry’s word alone.`,
            by: 'the log’s key',
            facts,
          }
        : {
            said: `${signed}, and by as many witnesses as the trust root asks for.`,
            by: `the log’s key and ${witnesses.length} of its witnesses`,
            facts,
          },
  };
}

function cosignersOf(host: PublicReader['host'], root: TrustRoot, note: Uint8Array): Fact[] {
  if (root.witnessPolicy === undefined) return [];
  const policy = parseTlogPolicy(host, utf8(root.witnessPolicy));
  return accept(checkQuorum(policy, parseNote(note))).cosignatures.map(({ name, time }) => ({
    label: `Cosigned by ${name}`,
    value: new Date(time * 1000).toISOString(),
    as: 'instant',
  }));
}

/** The log must begin with the one that this browser saw before. */
export async function followGrowth(
  { host }: PublicReader,
  head: SignedHead,
  seen: Seen | undefined,
  read: ReadTile,
): Promise<Found<LogView>> {
  const view = await openView(host, [head], seen, read).catch((error: unknown) => {
    throw seen === undefined ? error : withBothNotes(error, seen, head);
  });
  if (seen === undefined) {
    const said =
      'This browser has not seen this log before, so there is nothing to compare it with. It remembers this checkpoint from now on.';
    return { value: view, finding: { said, nothingToCheck: true } };
  }
  const before = headOf(seen.checkpoint);
  const grown = head.size - before.size;
  const facts: Fact[] = [
    { label: 'Remembered', value: `${before.size} entries` },
    { label: 'Now', value: `${head.size} entries` },
    { label: 'Remembered checkpoint', value: parseUtf8(seen.checkpoint), as: 'note' },
  ];
  const said =
    grown === 0
      ? 'The log is the one that this browser remembers.'
      : `The log begins with the one that this browser remembers, and has ${grown} more entries.`;
  return { value: view, finding: { said, by: 'this browser’s memory', facts } };
}

/** Whatever shows that the logs differ, the two signed notes are what a third party needs. */
function withBothNotes(error: unknown, seen: Seen, head: SignedHead): unknown {
  if (!isCoded(error, 'proof-invalid')) return error;
  const checkpoints = [seen.checkpoint, head.note].map((note) => parseUtf8(note));
  return new CodedError(error.code, error.message, { checkpoints });
}

/** The release entry, with its path to a checkpoint of this same log. */
export async function findInclusion(
  { host }: PublicReader,
  root: TrustRoot,
  shown: { readonly entry: Uint8Array; readonly proof: Uint8Array },
  log: { readonly head: SignedHead; readonly seen: Seen | undefined; readonly read: ReadTile },
): Promise<Found<LoggedRelease & { readonly view: LogView }>> {
  const logged = accept(openLogged(host, root, shown.entry, shown.proof, 'release'));
  const { entry, index, checkpoint } = logged;
  const { hashes, checkpoint: note } = parseTlogProof(shown.proof);
  const view = await openView(host, [log.head, headOf(note)], log.seen, log.read);
  const facts: Fact[] = [
    { label: 'Entry', value: `${index} of ${checkpoint.size}` },
    { label: 'Leaf hash', value: formatBase64(leafHash(host, shown.entry)), as: 'digest' },
    { label: 'Path', value: `${hashes.length} hashes from the leaf to the root` },
  ];
  const said = `Hashing entry ${index} up its path gives the root of a signed checkpoint, which is one of this log.`;
  return { value: { entry, index, view }, finding: { said, by: 'the log’s key', facts } };
}
