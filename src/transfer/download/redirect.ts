/** Where an answer sends its reader instead (RFC 9110, section 15.4). */
import { unusable } from './channel.ts';

export const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * The address that `location`, the header of an answer of `from`, leads to. Throws `network` when
 * that is none, or when it leads from https to http. A message names `place`: an address on the
 * way may be good for whoever holds it.
 */
export function redirectTo(
  location: string | null | undefined,
  from: string,
  place = from,
): string {
  const url = location && URL.canParse(location, from) ? new URL(location, from) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw unusable(place, 'it redirects to no address');
  }
  if (from.startsWith('https:') && url.protocol !== 'https:') {
    throw unusable(place, 'it redirects from https to http');
  }
  return url.href;
}
