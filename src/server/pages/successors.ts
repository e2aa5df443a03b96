/**
 * Which release stands in the place of another. An advisory says so in prose, so a release that
 * it names counts when it is one: `acme/tiny@v2` anywhere in the sentence, or a version of the
 * same model that looks like one, as in “superseded by v2” or “use 1.1”.
 */
import {
  formatModel,
  formatReleaseName,
  parseReleaseName,
  type ReleaseName,
} from '../../core/release/name.ts';
import type { CatalogueRelease } from '../../index/catalogue.ts';

/** Words of a summary, without what ends a clause. */
const WORD = /[A-Za-z0-9][A-Za-z0-9._/@+-]*(?<![._/@+-])/g;
const VERSION = /^v?\d+(?:\.\d+)*(?:[-+].+)?$/;

/** The release that an advisory names as what supersedes `release`; undefined when it names none that is here. */
export function successorOf(
  { release, advisories }: Pick<CatalogueRelease, 'release' | 'advisories'>,
  find: (release: ReleaseName) => CatalogueRelease | undefined,
): ReleaseName | undefined {
  const said = advisories.filter(({ kind }) => kind === 'superseded').reverse();
  for (const { summary } of said) {
    for (const name of namedIn(summary, release)) {
      const found = find(name);
      if (found !== undefined && formatReleaseName(found.release) !== formatReleaseName(release)) {
        return found.release;
      }
    }
  }
  return undefined;
}

function namedIn(summary: string, release: ReleaseName): ReleaseName[] {
  return (summary.match(WORD) ?? []).flatMap((word) => {
    if (word.includes('@')) return releaseIn(word);
    const isVersion = VERSION.test(word) && /[.v]/.test(word);
    return isVersion ? releaseIn(`${formatModel(release)}@${word}`) : [];
  });
}

function releaseIn(word: string): ReleaseName[] {
  try {
    return [parseReleaseName(word)];
  } catch {
    return [];
  }
}
