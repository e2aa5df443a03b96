/**
 * Cosignatures (C2SP tlog-cosignature): a witness says that, at a time, a checkpoint was the
 * largest consistent one that it had seen of a log. It stands as one more signature line:
 *
 *     — witness.example.com/w1 <base64 of key ID (4) ‖ time (uint64, seconds) ‖ Ed25519 (64)>
 *
 * The key is of type 04, and what it signs is the note's text behind two lines of its own:
 *
 *     cosignature/v1
 *     time 1679315147
 *     example.com/behind-the-sofa
 *     20852163
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 *
 * The time is not in the text, so a note can hold cosignatures of different times.
 */
import { concat, formatUint64, utf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import type { Verdict } from '../verdict.ts';
import { SIGNATURE_BYTES, sign, verify } from './ed25519.ts';
import { SIGNATURE_TYPE, type SigningKey, type VerifierKey } from './key.ts';
import { formatDecimal } from './line.ts';
import {
  type NoteSignature,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  type UnverifiedNote,
} from './note.ts';

const HEADER = 'cosignature/v1';
const TIME_BYTES = 8;

/** A checked cosignature, still the signature line that it was. Made by `openCosignatures`. */
export interface Cosignature extends NoteSignature {
  /** Seconds since the epoch, by the witness's clock. */
  readonly time: number;
}

/** The verifier of a witness's Ed25519 key (type 04). Throws `bad-key` for another type. */
export function cosignatureVerifier(key: VerifierKey): NoteVerifier {
  requireType(key);
  return {
    name: key.name,
    id: key.id,
    verify(text, signature) {
      const time = cosignatureTime(signature);
      if (time === undefined) return false;
      return verify(key.publicKey, cosignedBytes(time, text), signature.subarray(TIME_BYTES));
    },
  };
}

/** The signer of a witness's Ed25519 key at `time`, in seconds. Throws `bad-key`. */
export function cosignatureSigner(key: SigningKey, time: number): NoteSigner {
  requireType(key);
  if (time === 0) throw new CodedError('bad-note', 'a cosignature must have a time');
  return {
    name: key.name,
    id: key.id,
    sign: (text) => concat(formatUint64(time), sign(key.seed, cosignedBytes(time, text))),
  };
}

/**
 * The cosignatures of `note` by the witnesses in `verifiers`, which may be none at all. A bad
 * one by a known key refuses the note with `signature-invalid`.
 */
export function openCosignatures(
  note: UnverifiedNote,
  verifiers: readonly NoteVerifier[],
): Verdict<{ cosignatures: readonly Cosignature[] }> {
  const opened = openNote(note, verifiers);
  if (opened.ok) return { ok: true, cosignatures: opened.note.verified.map(withTime) };
  // No witness of ours has cosigned: whether that is enough, a policy says.
  return opened.code === 'untrusted' ? { ok: true, cosignatures: [] } : opened;
}

function withTime(signature: NoteSignature): Cosignature {
  const time = cosignatureTime(signature.signature);
  if (time === undefined) throw new CodedError('bad-note', 'that signature is no cosignature');
  return { ...signature, time };
}

/**
 * The time that a cosignature says, whether or not anybody has checked it; undefined for the
 * wrong length, a time of 0 or one beyond 2^53.
 */
export function cosignatureTime(signature: Uint8Array): number | undefined {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const view = new DataView(signature.buffer, signature.byteOffset, TIME_BYTES);
  const time = Number(view.getBigUint64(0));
  return Number.isSafeInteger(time) && time > 0 ? time : undefined;
}

/** "Ed25519 signed message" of the specification. */
function cosignedBytes(time: number, text: Uint8Array): Uint8Array {
  const seconds = formatDecimal(time, 'bad-note', 'the time of the cosignature');
  return concat(utf8(`${HEADER}\ntime ${seconds}\n`), text);
}

function requireType(key: VerifierKey): void {
  if (key.type === SIGNATURE_TYPE.cosignature) return;
  throw new CodedError(
    'bad-key',
    `the key "${key.name}" is of type ${key.type}; cosignatures need type 4`,
  );
}
