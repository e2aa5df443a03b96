/**
 * What a log and a witness say to each other (C2SP tlog-witness, "add-checkpoint").
 *
 * The log posts the size that it believes the witness knows, the consistency proof from
 * there, and the checkpoint:
 *
 *     old 20852014
 *     PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
 *     jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
 *
 *     example.com/behind-the-sofa
 *     20852163
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 *
 *     — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URY…
 *
 * The witness answers 200 with signature lines, or 409 with the size that it does know, as
 * one decimal line. A 200 proves nothing: what came with it is put behind the checkpoint's text
 * and opened with the witness's key (`note/cosignature.ts`).
 */
import { concat, parseUtf8, utf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import { formatDecimal, formatHash, parseDecimal, parseHash, recode } from '../note/line.ts';
import {
  formatSignatureLines,
  type NoteSignature,
  parseNote,
  parseSignatureLines,
} from '../note/note.ts';
import { MAX_PROOF_HASHES } from './merkle.ts';

/** Witnesses in the field cut requests off between 10 and 16 KiB. */
export const MAX_REQUEST_BYTES = 10 * 1024;
/** A decimal number up to 2^53 − 1 and its newline. */
export const MAX_CONFLICT_BYTES = 17;
/** Two or three signature lines, some of them ML-DSA-44. */
export const MAX_COSIGNATURES_BYTES = 64 * 1024;

/** The body of an add-checkpoint request. */
export interface AddCheckpoint {
  /** Size of the newest checkpoint that the witness is believed to have cosigned, 0 for none. */
  readonly oldSize: number;
  /** The consistency proof from `oldSize` to the checkpoint's size. */
  readonly proof: readonly Uint8Array[];
  /** The signed note, with the log's own signatures only. */
  readonly checkpoint: Uint8Array;
}

/** The body of a request. Throws `too-large` for one that witnesses would cut off. */
export function formatAddCheckpoint(request: AddCheckpoint): Uint8Array {
  requireProof(request.proof.length);
  const lines = [
    `old ${formatDecimal(request.oldSize, 'bad-proof', 'the old size')}\n`,
    ...request.proof.map((hash) => `${formatHash(hash, 'bad-proof', 'a hash of the proof')}\n`),
    '\n',
  ];
  parseNote(request.checkpoint);
  const body = concat(utf8(lines.join('')), request.checkpoint);
  requireSize(body, MAX_REQUEST_BYTES, 'an add-checkpoint request');
  return body;
}

/** Parses the body of a request. Throws `bad-proof`, `bad-note` or `too-large`. */
export function parseAddCheckpoint(body: Uint8Array): AddCheckpoint {
  requireSize(body, MAX_REQUEST_BYTES, 'an add-checkpoint request');
  const text = recode('bad-proof', 'the add-checkpoint request', () => parseUtf8(body));
  const blank = text.indexOf('\n\n');
  const [old, ...hashes] = text.slice(0, Math.max(0, blank)).split('\n');
  if (blank < 0 || old === undefined || !old.startsWith('old ')) {
    throw new CodedError('bad-proof', 'an add-checkpoint request must begin with "old <size>"');
  }
  requireProof(hashes.length);
  const oldSize = parseDecimal(old.slice('old '.length), 'bad-proof', 'the old size');
  const proof = hashes.map((hash) => parseHash(hash, 'bad-proof', 'a hash of the proof'));
  const checkpoint = utf8(text.slice(blank + 2));
  parseNote(checkpoint);
  return { oldSize, proof, checkpoint };
}

/** The body of a 409: the size that the witness knows. */
export function formatConflict(size: number): Uint8Array {
  return utf8(`${formatDecimal(size, 'bad-proof', 'the size')}\n`);
}

/** Parses the body of a 409. Throws `bad-proof` or `too-large`. */
export function parseConflict(body: Uint8Array): number {
  requireSize(body, MAX_CONFLICT_BYTES, 'the answer of a witness with status 409');
  const text = recode('bad-proof', 'the size in a witness’s answer', () => parseUtf8(body));
  if (!text.endsWith('\n')) {
    throw new CodedError('bad-proof', 'the size in a witness’s answer does not end in a newline');
  }
  return parseDecimal(text.slice(0, -1), 'bad-proof', 'the size in a witness’s answer');
}

/** The body of a 200: one or more signature lines. */
export function formatCosignatures(signatures: readonly NoteSignature[]): Uint8Array {
  return utf8(formatSignatureLines(signatures));
}

/** Parses the body of a 200. Throws `bad-note` or `too-large`. Says nothing of their worth. */
export function parseCosignatures(body: Uint8Array): NoteSignature[] {
  requireSize(body, MAX_COSIGNATURES_BYTES, 'the answer of a witness');
  return parseSignatureLines(recode('bad-note', 'the answer of a witness', () => parseUtf8(body)));
}

function requireProof(hashes: number): void {
  if (hashes <= MAX_PROOF_HASHES) return;
  throw new CodedError(
    'bad-proof',
    `a consistency proof has at most ${MAX_PROOF_HASHES} hashes, not ${hashes}`,
  );
}

function requireSize(body: Uint8Array, limit: number, what: string): void {
  if (body.length <= limit) return;
  throw new CodedError('too-large', `${what} may have ${limit} bytes, not ${body.length}`);
}
