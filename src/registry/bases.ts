/** The releases that another one says it was made from: they must be here, and be those. */
import { CodedError } from '../core/error.ts';
import type { Claims } from '../core/release/claims.ts';
import { parseReleaseName } from '../core/release/name.ts';
import type { Releases } from './releases.ts';

/**
 * Throws `not-found` for a base that is not published with that digest: a draft of somebody
 * else's is answered as one that does not exist.
 */
export async function requirePublished(
  releases: Pick<Releases, 'find'>,
  { base = [] }: Claims,
): Promise<void> {
  for (const { release, digest } of base) {
    const found = await releases.find(parseReleaseName(release));
    if (found?.digest === digest) continue;
    throw new CodedError(
      'not-found',
      `the base ${release} with the digest ${digest} is not published here`,
      { release, digest },
    );
  }
}
