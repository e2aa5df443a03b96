/** What people type into a search box, and what a release is found by. */
import type { Digest } from '../core/digest.ts';
import { baseTags } from '../core/release/claims.ts';
import type { Manifest } from '../core/release/manifest.ts';

/** Words of a search that count; further ones are ignored. */
export const MAX_SEARCH_WORDS = 16;
/** Files of a release whose paths and digests are searched. */
export const MAX_SEARCHED_FILES = 10_000;

/**
 * The FTS5 expression that finds all words of `text`, each as the beginning of a word; or
 * undefined when there is no word in it. Every word is quoted (FTS5, "Strings"), so nothing
 * in it is an operator.
 */
export function searchExpression(text: string): string | undefined {
  const words = text
    .toWellFormed()
    .split(/[\s\0]+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
    .slice(0, MAX_SEARCH_WORDS);
  if (words.length === 0) return undefined;
  return words.map((word) => `"${word.replaceAll('"', '""')}"*`).join(' ');
}

/** The words of a release: its name and digest, what it was made from, the formats, paths and digests of its files. */
export function searchedWords(reference: string, digest: Digest, manifest?: Manifest): string {
  const files = manifest?.files.slice(0, MAX_SEARCHED_FILES) ?? [];
  const formats = new Set(files.map(({ format }) => format));
  const named = files.flatMap(({ path, sha256 }) => [path, sha256]);
  const bases = manifest === undefined ? [] : baseTags(manifest);
  return [reference, digest, ...formats, ...bases, ...named].join(' ');
}
