/** What is asked to be sealed. */
import { CodedError } from '../core/error.ts';
import { claimsOf, isSameClaims, parseClaims } from '../core/release/claims.ts';
import { MAX_FILES } from '../core/release/manifest.ts';
import { formatReleaseName, type ReleaseName } from '../core/release/name.ts';
import { parseFilePath } from '../core/release/path.ts';
import type { SealRequest } from './registry.ts';

/** Throws `bad-document`, `bad-path`, `too-large`. */
export function parseRequest(request: SealRequest): SealRequest {
  const { nonce, paths } = request;
  if (!/^[0-9a-f]{64}$/.test(nonce)) {
    throw new CodedError('bad-document', 'the nonce must be 64 lower-case hex digits');
  }
  if (paths.length === 0 || paths.length > MAX_FILES) {
    throw new CodedError('too-large', `a release has 1 to ${MAX_FILES} files, not ${paths.length}`);
  }
  if (new Set(paths).size !== paths.length) {
    throw new CodedError('bad-document', 'a path stands twice in the list of files');
  }
  return { nonce, paths: paths.map(parseFilePath), ...parseClaims(claimsOf(request)) };
}

/** The order of the paths says nothing. */
export function isSameRequest(a: SealRequest, b: SealRequest): boolean {
  if (a.nonce !== b.nonce || !isSameClaims(a, b)) return false;
  if (a.paths.length !== b.paths.length) return false;
  const paths = new Set(a.paths);
  return b.paths.every((path) => paths.has(path));
}

/** What a second request is refused with while another one is carried out. */
export function beingSealed(release: ReleaseName): CodedError {
  return new CodedError(
    'conflict',
    `${formatReleaseName(release)} is being sealed with other files, another nonce or other claims; wait for it`,
  );
}
