/**
 * `--include` and `--exclude`: which files of a model are meant. A pattern without a slash is
 * held against the file's own name, as people mean `*.safetensors`; one with a slash against
 * the whole path. A pattern that fits a folder means everything in it.
 */
import { posix } from 'node:path';
import { CodedError } from '../core/error.ts';

export interface Selection {
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** Patterns of one kind, and characters of a pattern: they are compiled for every path. */
const MAX_PATTERNS = 64;
const MAX_PATTERN_LENGTH = 256;

/** Does the selection mean the file at `path`? Without `include` it means all. Throws `usage`. */
export function selector({ include = [], exclude = [] }: Selection): (path: string) => boolean {
  requirePatterns(include, '--include');
  requirePatterns(exclude, '--exclude');
  return (path) =>
    (include.length === 0 || include.some((pattern) => fits(path, pattern))) &&
    !exclude.some((pattern) => fits(path, pattern));
}

/** Does the selection leave anything out? */
export function isPartial({ include = [], exclude = [] }: Selection): boolean {
  return include.length > 0 || exclude.length > 0;
}

function fits(path: string, pattern: string): boolean {
  const plain = pattern.replace(/\/+$/, '');
  const segments = path.split('/');
  if (!plain.includes('/')) return segments.some((segment) => posix.matchesGlob(segment, plain));
  return segments.some((_, i) => posix.matchesGlob(segments.slice(0, i + 1).join('/'), plain));
}

function requirePatterns(patterns: readonly string[], option: string): void {
  if (patterns.length > MAX_PATTERNS) {
    throw new CodedError('usage', `${option} may be given ${MAX_PATTERNS} times at most`);
  }
  const bad = patterns.find((pattern) => pattern === '' || pattern.length > MAX_PATTERN_LENGTH);
  if (bad !== undefined) {
    const limit = `1 to ${MAX_PATTERN_LENGTH} characters`;
    throw new CodedError('usage', `a pattern of ${option} must have ${limit}`);
  }
}
