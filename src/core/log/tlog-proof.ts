/**
 * Proof files (C2SP tlog-proof, extension `.tlog-proof`): everything that it takes to show
 * offline that a log holds an entry, but for the entry and the keys.
 *
 *     c2sp.org/tlog-proof@v1
 *     extra YWdlLXYxLjIuMQ==                            optional, authenticated by nothing
 *     index 73894                                       of the entry
 *     gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=      inclusion proof, leaf to root
 *     B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
 *
 *     example.com/fancylog                              checkpoint with its cosignatures,
 *     109482                                            verbatim
 *     sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=
 *
 *     — example.com/fancylog hI2DJw…
 */
import { concat, formatBase64, parseBase64, parseUtf8, utf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { formatDecimal, formatHash, parseDecimal, parseHash, recode } from '../note/line.ts';
import type { NoteVerifier, UnverifiedNote } from '../note/note.ts';
import { parseNote } from '../note/note.ts';
import type { Verdict } from '../verdict.ts';
import { type Checkpoint, openCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { checkInclusion, MAX_PROOF_HASHES } from './merkle.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';

/** Bounds what is read: a note of the largest size, 63 hashes, and the extra data. */
export const MAX_TLOG_PROOF_BYTES = 256 * 1024;

/** A proof file, well-formed and unchecked. */
export interface TlogProof {
  /** Application data that nothing authenticates. Never empty. */
  readonly extra?: Uint8Array;
  readonly index: number;
  /** From the leaf's sibling up to the root's child. */
  readonly hashes: readonly Uint8Array[];
  /** The signed note, verbatim. */
  readonly checkpoint: Uint8Array;
}

/** Whose word a proof must rest on. */
export interface ProofTrust {
  readonly origin: string;
  readonly logVerifiers: readonly NoteVerifier[];
}

/** Parses a proof file. Throws `bad-proof`, `too-large`, `bad-note` or `bad-checkpoint`. */
export function parseTlogProof(bytes: Uint8Array): TlogProof {
  requireSize(bytes);
  const text = recode('bad-proof', 'the proof', () => parseUtf8(bytes));
  const blank = text.indexOf('\n\n');
  const [header, ...lines] = text.slice(0, Math.max(0, blank)).split('\n');
  if (header !== HEADER) throw new CodedError('bad-proof', `a proof must begin with ${HEADER}`);
  const extra = lines[0]?.startsWith('extra ') ? parseExtra(lines.shift()!) : {};
  const index = parseIndex(lines.shift());
  const checkpoint = utf8(text.slice(blank + 2));
  parseCheckpoint(parseNote(checkpoint).text);
  requireCount(lines.length);
  const hashes = lines.map((line) => parseHash(line, 'bad-proof', 'a hash of the proof'));
  return { ...extra, index, hashes, checkpoint };
}

/** The bytes of a proof file. Throws as `parseTlogProof`. */
export function formatTlogProof(proof: TlogProof): Uint8Array {
  requireCount(proof.hashes.length);
  parseCheckpoint(parseNote(proof.checkpoint).text);
  const lines = [
    HEADER,
    ...(proof.extra === undefined ? [] : [formatExtra(proof.extra)]),
    `index ${formatDecimal(proof.index, 'bad-proof', 'the index of the proof')}`,
    ...proof.hashes.map((hash) => formatHash(hash, 'bad-proof', 'a hash of the proof')),
  ];
  const bytes = concat(utf8(`${lines.join('\n')}\n\n`), proof.checkpoint);
  requireSize(bytes);
  return bytes;
}

/**
 * Does the log hold the entry of `leafHash`, by a checkpoint that one of its keys signed?
 * Refuses with `untrusted`, `signature-invalid` or `proof-invalid`. Which cosignatures are
 * enough is the policy's to say: give it the `note`.
 */
export function openTlogProof(
  host: Host,
  proof: TlogProof,
  leafHash: Uint8Array,
  trust: ProofTrust,
): Verdict<{ checkpoint: Checkpoint; note: UnverifiedNote }> {
  const opened = openCheckpoint(proof.checkpoint, trust.origin, trust.logVerifiers);
  if (!opened.ok) return opened;
  const { size, root } = opened.checkpoint;
  const { index, hashes } = proof;
  const included = checkInclusion(host, { index, size, leafHash, root, proof: hashes });
  return included.ok ? opened : included;
}

function parseIndex(line: string | undefined): number {
  if (line?.startsWith('index ')) {
    return parseDecimal(line.slice('index '.length), 'bad-proof', 'the index of the proof');
  }
  throw new CodedError('bad-proof', 'the proof has no line "index <number>" where it must stand');
}

function parseExtra(line: string): { extra: Uint8Array } {
  const what = 'the extra data of the proof';
  const extra = recode('bad-proof', what, () => parseBase64(line.slice('extra '.length)));
  requireExtra(extra);
  return { extra };
}

function formatExtra(extra: Uint8Array): string {
  requireExtra(extra);
  return `extra ${formatBase64(extra)}`;
}

function requireExtra(extra: Uint8Array): void {
  if (extra.length > 0) return;
  throw new CodedError('bad-proof', 'the extra data of a proof must be left out when it is empty');
}

function requireCount(hashes: number): void {
  if (hashes <= MAX_PROOF_HASHES) return;
  throw new CodedError(
    'bad-proof',
    `an inclusion proof has at most ${MAX_PROOF_HASHES} hashes, not ${hashes}`,
  );
}

function requireSize(bytes: Uint8Array): void {
  if (bytes.length <= MAX_TLOG_PROOF_BYTES) return;
  throw new CodedError(
    'too-large',
    `a proof may have ${MAX_TLOG_PROOF_BYTES} bytes, not ${bytes.length}`,
  );
}
