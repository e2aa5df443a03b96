/**
 * Signed notes (C2SP signed-note, "Format"): text that one or more keys signed.
 *
 *     This is an example message.                     text: lines, the last newline included
 *                                                     one blank line
 *     — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1T…     signatures: em dash (U+2014), key name,
 *     — witness.example/w1 jWbPPwAAAABkGFDLEZMH…      base64 of key ID (4 bytes) ‖ signature
 *
 * The text may hold blank lines: the last one separates. All is UTF-8 without control
 * characters other than the newline. What was parsed is an `UnverifiedNote`; its text means
 * nothing until `openNote` has made a `VerifiedNote` of it.
 *
 * Signatures by keys that we do not know are ignored, even when the name or the ID (but not
 * both) is known; one bad signature by a key that we know refuses the whole note.
 */
import { concat, formatBase64, parseBase64, parseUtf8, utf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { sign, verify } from './ed25519.ts';
import {
  formatId,
  type KeyName,
  parseId,
  parseKeyName,
  SIGNATURE_TYPE,
  type SigningKey,
  type VerifierKey,
} from './key.ts';
import { recode } from './line.ts';

declare const brand: unique symbol;

/** Bounds what is read: sixteen signatures of 5 kB, as the specification asks, fit easily. */
export const MAX_NOTE_BYTES = 128 * 1024;

/** The specification asks for at least 16. */
export const MAX_NOTE_SIGNATURES = 64;

/** One signature line. */
export interface NoteSignature {
  readonly name: KeyName;
  readonly id: number;
  /** What follows the key ID; its form is the signature type's. Never empty. */
  readonly signature: Uint8Array;
}

/** A well-formed note that nobody has checked. */
export interface UnverifiedNote {
  /** Ends in a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A note with at least one good signature by a known key and no bad one. Made by `openNote`. */
export interface VerifiedNote {
  readonly [brand]: 'VerifiedNote';
  readonly text: string;
  /** The good signatures by known keys. */
  readonly verified: readonly NoteSignature[];
  /** The signatures by keys that we do not know, unchecked. */
  readonly unknown: readonly NoteSignature[];
}

/** Recognises and checks the signatures of one key. */
export interface NoteVerifier {
  readonly name: KeyName;
  readonly id: number;
  /** Does `signature` fit the note's `text`? */
  verify(text: Uint8Array, signature: Uint8Array): boolean;
}

/** Signs notes with one key. */
export interface NoteSigner {
  readonly name: KeyName;
  readonly id: number;
  /** The signature of `text`, without the key ID. */
  sign(text: Uint8Array): Uint8Array;
}

/** The verifier of an Ed25519 note key (type 01). Throws `bad-key` for another type. */
export function noteVerifier(key: VerifierKey): NoteVerifier {
  requireType(key);
  return {
    name: key.name,
    id: key.id,
    verify: (text, signature) => verify(key.publicKey, text, signature),
  };
}

/** The signer of an Ed25519 note key (type 01). Throws `bad-key` for another type. */
export function noteSigner(key: SigningKey): NoteSigner {
  requireType(key);
  return { name: key.name, id: key.id, sign: (text) => sign(key.seed, text) };
}

/** Parses a note. Throws `bad-note`, or `too-large`. */
export function parseNote(bytes: Uint8Array): UnverifiedNote {
  if (bytes.length > MAX_NOTE_BYTES) {
    throw new CodedError(
      'too-large',
      `a note may have ${MAX_NOTE_BYTES} bytes, not ${bytes.length}`,
    );
  }
  const note = recode('bad-note', 'the note', () => parseUtf8(bytes));
  const blank = note.lastIndexOf('\n\n');
  if (blank < 0) {
    throw new CodedError('bad-note', 'the note has no blank line between text and signatures');
  }
  const text = note.slice(0, blank + 1);
  requireText(text);
  return { text, signatures: parseSignatureLines(note.slice(blank + 2)) };
}

/** The bytes of a note. Throws `bad-note` for what `parseNote` would not read. */
export function formatNote(note: UnverifiedNote): Uint8Array {
  requireText(note.text);
  const bytes = utf8(`${note.text}\n${formatSignatureLines(note.signatures)}`);
  if (bytes.length > MAX_NOTE_BYTES) {
    throw new CodedError(
      'too-large',
      `a note may have ${MAX_NOTE_BYTES} bytes, not ${bytes.length}`,
    );
  }
  return bytes;
}

/** Parses one or more signature lines, each with its newline. Throws `bad-note`. */
export function parseSignatureLines(text: string): NoteSignature[] {
  if (!text.endsWith('\n')) {
    throw new CodedError('bad-note', 'the signatures of the note do not end in a newline');
  }
  const lines = text.slice(0, -1).split('\n');
  requireCount(lines.length);
  return lines.map(parseSignatureLine);
}

/** Signature lines, each with its newline. Throws `bad-note`. */
export function formatSignatureLines(signatures: readonly NoteSignature[]): string {
  requireCount(signatures.length);
  return signatures.map(formatSignatureLine).join('');
}

/**
 * Checks every signature by a key in `verifiers`. Refuses with `signature-invalid` when one
 * is bad and with `untrusted` when there is none. Throws `bad-key` when two verifiers have
 * the same name and ID.
 */
export function openNote(
  note: UnverifiedNote,
  verifiers: readonly NoteVerifier[],
): Verdict<{ note: VerifiedNote }> {
  const known = indexVerifiers(verifiers);
  const text = utf8(note.text);
  const verified: NoteSignature[] = [];
  const unknown: NoteSignature[] = [];
  for (const signature of note.signatures) {
    const verifier = known.get(identity(signature));
    if (verifier === undefined) unknown.push(signature);
    else if (verifier.verify(text, signature.signature)) verified.push(signature);
    else return refuseSignature(note, signature);
  }
  if (verified.length === 0) return refuseStranger(note, verifiers);
  return { ok: true, note: { text: note.text, verified, unknown } as unknown as VerifiedNote };
}

/** Signs `text` with every signer. Throws `bad-note` when the text cannot stand in a note. */
export function signNote(text: string, signers: readonly NoteSigner[]): UnverifiedNote {
  requireText(text);
  requireCount(signers.length);
  const bytes = utf8(text);
  const signatures = signers.map((signer) => ({
    name: signer.name,
    id: signer.id,
    signature: signer.sign(bytes),
  }));
  return { text, signatures };
}

/** `note` with `signatures` behind its own. */
export function addSignatures(
  note: UnverifiedNote,
  signatures: readonly NoteSignature[],
): UnverifiedNote {
  return { text: note.text, signatures: [...note.signatures, ...signatures] };
}

function parseSignatureLine(line: string): NoteSignature {
  const [dash, name, encoded, ...rest] = line.split(' ');
  if (dash !== '\u2014' || name === undefined || encoded === undefined || rest.length > 0) {
    throw new CodedError('bad-note', 'a signature line must read "\u2014 <name> <base64>"');
  }
  const bytes = recode('bad-note', `the signature of "${name}"`, () => parseBase64(encoded));
  if (bytes.length <= 4)
    throw new CodedError('bad-note', `the signature of "${name}" is too short`);
  return { name: nameInNote(name), id: parseId(bytes), signature: bytes.slice(4) };
}

function formatSignatureLine(line: NoteSignature): string {
  if (line.signature.length === 0) {
    throw new CodedError('bad-note', `the signature of "${line.name}" is empty`);
  }
  const encoded = formatBase64(concat(formatId(line.id), line.signature));
  return `\u2014 ${nameInNote(line.name)} ${encoded}\n`;
}

function nameInNote(text: string): KeyName {
  try {
    return parseKeyName(text);
  } catch (cause) {
    const message = 'a signature line of the note has a malformed key name';
    throw new CodedError('bad-note', message, {}, { cause });
  }
}

function requireText(text: string): void {
  if (!text.endsWith('\n')) throw new CodedError('bad-note', 'a note’s text must end in a newline');
  if (/[\x00-\x09\x0b-\x1f]/.test(text) || !text.isWellFormed()) {
    throw new CodedError('bad-note', 'a note’s text must not hold control characters');
  }
}

function requireCount(signatures: number): void {
  if (signatures < 1 || signatures > MAX_NOTE_SIGNATURES) {
    throw new CodedError(
      'bad-note',
      `a note must have 1 to ${MAX_NOTE_SIGNATURES} signatures, not ${signatures}`,
    );
  }
}

function requireType(key: VerifierKey): void {
  if (key.type !== SIGNATURE_TYPE.ed25519) {
    throw new CodedError(
      'bad-key',
      `the key "${key.name}" is of type ${key.type}; notes need type 1`,
    );
  }
}

/** Name and ID together identify a key; the name holds no space. */
function identity(key: { readonly name: KeyName; readonly id: number }): string {
  return `${key.id} ${key.name}`;
}

function indexVerifiers(verifiers: readonly NoteVerifier[]): Map<string, NoteVerifier> {
  const known = new Map(verifiers.map((verifier) => [identity(verifier), verifier]));
  if (known.size !== verifiers.length) {
    throw new CodedError('bad-key', 'two of the trusted keys have the same name and ID');
  }
  return known;
}

function refuseSignature(note: UnverifiedNote, signature: NoteSignature) {
  return refusal(
    'signature-invalid',
    `the signature of "${signature.name}" does not fit the note; do not use it`,
    { note: note.text, name: signature.name, id: signature.id },
  );
}

function refuseStranger(note: UnverifiedNote, verifiers: readonly NoteVerifier[]) {
  const trusted = verifiers.map((verifier) => verifier.name).join(', ') || 'none';
  return refusal('untrusted', `the note is signed by no trusted key (trusted: ${trusted})`, {
    note: note.text,
    signers: note.signatures.map((signature) => signature.name),
  });
}
