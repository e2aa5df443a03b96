/**
 * Checkpoints (C2SP tlog-checkpoint): a signed note that says what a log holds.
 *
 *     example.com                                       origin: which log this is
 *     20852163                                          size: entries in the log, decimal
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=      root: RFC 6962 tree hash, base64
 *     (extension lines, never empty; we write none)
 *
 *     — example.com Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5…
 *
 * The log's key has the origin for its name. Sizes are whole numbers up to 2^53 − 1, so that
 * no JSON tool rounds them.
 */

import { CodedError } from '../error.ts';
import { formatDecimal, formatHash, parseDecimal, parseHash } from '../note/line.ts';
import {
  formatNote,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  parseNote,
  signNote,
  type UnverifiedNote,
} from '../note/note.ts';
import { refusal, type Verdict } from '../verdict.ts';

declare const brand: unique symbol;

/** The origin of a Weighhouse log: a bare host name. Made by `parseOrigin`. */
export type Origin = string & { readonly [brand]: 'Origin' };

/** What a log holds: how many entries, and the one hash that fixes all of them. */
export interface TreeHead {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** A tree head of a named log. */
export interface Checkpoint extends TreeHead {
  /** Not empty. Logs of others need not follow our rule for origins. */
  readonly origin: string;
  /** Opaque lines that no monitor can audit. Ours never have any. */
  readonly extensions: readonly string[];
}

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const HOST_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/** The longest host name (RFC 1035, section 2.3.4, as text). */
const MAX_HOST_NAME_LENGTH = 253;

/**
 * Parses the origin of a log of ours: a lower-case host name without port or path, because
 * Sigstore clients take the host of a log's URL for the name of its key. Throws `bad-name`.
 */
export function parseOrigin(text: string): Origin {
  if (text.length > MAX_HOST_NAME_LENGTH || !HOST_NAME.test(text)) {
    throw new CodedError(
      'bad-name',
      'an origin must be a lower-case host name without port or path, such as models.example.com',
    );
  }
  return text as Origin;
}

/** Parses the text of a checkpoint's note. Throws `bad-checkpoint`. */
export function parseCheckpoint(text: string): Checkpoint {
  if (!text.endsWith('\n')) {
    throw new CodedError('bad-checkpoint', 'the checkpoint does not end in a newline');
  }
  const [origin, size, root, ...extensions] = text.slice(0, -1).split('\n');
  if (origin === undefined || size === undefined || root === undefined) {
    throw new CodedError('bad-checkpoint', 'a checkpoint must have an origin, a size and a root');
  }
  requireLines(origin, extensions);
  return {
    origin,
    size: parseDecimal(size, 'bad-checkpoint', 'the size of the checkpoint'),
    root: parseHash(root, 'bad-checkpoint', 'the root of the checkpoint'),
    extensions,
  };
}

/** The text of a checkpoint's note. Throws `bad-checkpoint`. */
export function formatCheckpoint(
  checkpoint: Omit<Checkpoint, 'extensions'> & Partial<Checkpoint>,
): string {
  const { origin, size, root, extensions = [] } = checkpoint;
  requireLines(origin, extensions);
  const lines = [
    origin,
    formatDecimal(size, 'bad-checkpoint', 'the size of the checkpoint'),
    formatHash(root, 'bad-checkpoint', 'the root of the checkpoint'),
    ...extensions,
  ];
  return `${lines.join('\n')}\n`;
}

/** The signed note of a checkpoint, as it is served. */
export function signCheckpoint(
  checkpoint: Omit<Checkpoint, 'extensions'> & Partial<Checkpoint>,
  signers: readonly NoteSigner[],
): Uint8Array {
  return formatNote(signNote(formatCheckpoint(checkpoint), signers));
}

/**
 * Opens the checkpoint of the log `origin`, signed by at least one of its keys. Every key in
 * `logVerifiers` that signed must have signed well. Refuses with `untrusted` another origin
 * and a stranger's signature, with `signature-invalid` a bad one. Throws `bad-note` or
 * `bad-checkpoint` for malformed bytes. `note` keeps the cosignatures for `openCosignatures`.
 */
export function openCheckpoint(
  bytes: Uint8Array,
  origin: string,
  logVerifiers: readonly NoteVerifier[],
): Verdict<{ checkpoint: Checkpoint; note: UnverifiedNote }> {
  const note = parseNote(bytes);
  const opened = openNote(note, logVerifiers);
  if (!opened.ok) return opened;
  const checkpoint = parseCheckpoint(opened.note.text);
  if (checkpoint.origin !== origin) {
    return refusal('untrusted', `the checkpoint is of another log, not of ${origin}`, {
      origin: checkpoint.origin,
      expected: origin,
    });
  }
  return { ok: true, checkpoint, note };
}

function requireLines(origin: string, extensions: readonly string[]): void {
  if ([origin, ...extensions].some((line) => line === '' || line.includes('\n'))) {
    throw new CodedError('bad-checkpoint', 'a checkpoint must not hold an empty line');
  }
}
