/**
 * Paths of files in a release.
 *
 *     config.json                 onnx/model.onnx              a file and one in a folder
 *
 * One path must name one file on every system that a release may be pulled to, and must
 * never lead out of the folder it is pulled into (SECURITY.md). So the rules of POSIX and of
 * Windows hold both, always: relative, `/` between segments, Unicode NFC, nothing that a file
 * system drops, folds, hides or gives a meaning.
 */
import { utf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';

declare const brand: unique symbol;

/** A checked path. Made only by this file. */
export type FilePath = string & { readonly [brand]: 'FilePath' };

/** Bytes of a whole path in UTF-8: what macOS (PATH_MAX) still opens. */
export const MAX_PATH_BYTES = 1_024;
/** Bytes of one segment in UTF-8: NAME_MAX nearly everywhere. */
export const MAX_SEGMENT_BYTES = 255;
/** Segments of a path. */
export const MAX_PATH_DEPTH = 32;

/**
 * What lies beside a model but is no part of it: version control, caches of clients, and
 * what Weighhouse itself writes. `push` leaves these out and says
 * so; no release may name them, in any spelling that a file system takes for the same.
 */
export const LEFT_OUT: readonly string[] = [
  '.git',
  '.gitattributes',
  '.gitignore',
  '.github',
  '.cache/huggingface',
  'model.sig',
  '.weighhouse',
];

/** What Windows forbids in a name (Win32, "Naming files"), and `\` and `:`, which lead elsewhere. */
const FORBIDDEN = /[<>:"|?*\\]/;
/**
 * Control, format, private-use and unassigned characters, line and paragraph separators, and
 * all that is not shown: some file systems drop them (`.g\u200cit`), and no one sees them.
 */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** Device names of Windows; they stand for the device with any extension, in any folder. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:\.|$)/i;
/** The second, short name that Windows gives to every long one: `GIT~1` opens `.git`. */
const SHORT_NAME = /^[^.]{1,7}~[0-9]{1,6}(?:\.[^.]{0,3})?$/;

/** Parses a path; throws `bad-path`. */
export function parseFilePath(text: string): FilePath {
  if (!text.isWellFormed()) throw badPath(text, 'holds a lone surrogate');
  if (text === '') throw badPath(text, 'is empty');
  if (utf8(text).length > MAX_PATH_BYTES) {
    throw badPath(text, `is longer than ${MAX_PATH_BYTES} bytes`);
  }
  if (text.normalize('NFC') !== text) throw badPath(text, 'is not in Unicode form NFC');
  const segments = text.split('/');
  if (segments.length > MAX_PATH_DEPTH) {
    throw badPath(text, `has more than ${MAX_PATH_DEPTH} segments`);
  }
  for (const segment of segments) {
    const fault = faultOf(segment);
    if (fault !== undefined) throw badPath(text, fault);
  }
  if (isLeftOut(text)) throw badPath(text, 'is never part of a release');
  return text as FilePath;
}

/** True for a path that is, or lies under, one of `LEFT_OUT`. Takes any text. */
export function isLeftOut(path: string): boolean {
  const folded = fold(path);
  return LEFT_OUT.some((left) => folded === left || folded.startsWith(`${left}/`));
}

/**
 * Refuses paths that are two in one place and one in another: equal after case folding or
 * Unicode normalisation, a file that is another's folder, one folder in two spellings.
 * Throws `bad-path` naming both.
 */
export function refuseTwins(paths: Iterable<string>): void {
  const seen = new Map<string, { readonly spelling: string; readonly isFile: boolean }>();
  for (const path of paths) {
    for (const { spelling, isFile } of prefixesOf(path)) {
      const key = fold(spelling);
      const twin = seen.get(key);
      if (twin === undefined) seen.set(key, { spelling, isFile });
      else if (isFile || twin.isFile || twin.spelling !== spelling) throw twins(twin, spelling);
    }
  }
}

/** What is wrong with one segment, or undefined. */
function faultOf(segment: string): string | undefined {
  if (segment === '') return 'is not relative, or has an empty segment';
  if (segment === '.' || segment === '..') return `has the segment "${segment}"`;
  if (utf8(segment).length > MAX_SEGMENT_BYTES) {
    return `has a segment longer than ${MAX_SEGMENT_BYTES} bytes`;
  }
  if (UNSEEN.test(segment)) return 'has a character that cannot be seen';
  if (FORBIDDEN.test(segment)) return 'has one of < > : " | ? * \\';
  if (/[. ]$/.test(segment)) return 'has a segment that ends in a dot or a space';
  if (DEVICE.test(segment)) return 'has the name of a Windows device';
  if (SHORT_NAME.test(segment)) return 'looks like the short name of another file on Windows';
  // A nested repository's configuration runs commands as soon as git looks at it.
  if (fold(segment) === '.git') return 'has a folder .git';
  return undefined;
}

/** The folders on the way to `path`, and `path` itself. */
function* prefixesOf(path: string): Generator<{ spelling: string; isFile: boolean }> {
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    yield { spelling: path.slice(0, slash), isFile: false };
  }
  yield { spelling: path, isFile: true };
}

/**
 * One form for all spellings that some file system takes for the same name. Lower, upper,
 * lower: one round alone tells ẞ from ß from ss, ſ from s, the Kelvin sign from k.
 */
function fold(text: string): string {
  return text.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().normalize('NFC');
}

function twins(first: { readonly spelling: string }, second: string): CodedError {
  const [a, b] = [shown(first.spelling), shown(second)];
  return new CodedError(
    'bad-path',
    `the paths ${a} and ${b} are one and the same on some file systems; rename one of them`,
    { paths: [first.spelling, second] },
  );
}

function badPath(text: string, fault: string): CodedError {
  const path = text.toWellFormed();
  return new CodedError(
    'bad-path',
    `the path ${shown(path)} ${fault}; rename or leave out the file`,
    {
      path,
    },
  );
}

/** For a message: quoted, printable ASCII, at most 120 characters. */
function shown(text: string): string {
  return `"${text.slice(0, 120).replace(/[^\x20-\x7e]/g, '?')}"`;
}
