/**
 * Advisories: what is said about a release after it was published. Bytes cannot be
 * recalled, but a client that is told can stop.
 *
 * The statement is a DSSE envelope of type `application/vnd.weighhouse.advisory.v1+json`
 * over canonical JSON
 *
 *     {advisory, digest, nonce, origin, release, summary, time, v: 1}
 *
 * `recalled` and `superseded` bind clients and count only when signed by a release manager
 * of the namespace; `security`, `license` and `quality` warn, and say who speaks.
 */
import * as v from 'valibot';
import { CodedError } from '../error.ts';
import { formatCanonical, parseCanonical } from '../json.ts';
import { ADVISORIES, type AdvisoryKind, MAX_SUMMARY } from '../log/entry.ts';
import { digest, hex32, instant, parseShape, prose } from '../shape.ts';
import { formatReleaseName, parseReleaseName } from './name.ts';
import type { Role } from './roles.ts';

/** The DSSE payload type of an advisory. */
export const ADVISORY_PAYLOAD_TYPE = 'application/vnd.weighhouse.advisory.v1+json';

const advisorySchema = v.strictObject({
  v: v.literal(1),
  origin: v.pipe(v.string(), v.minLength(1), v.maxLength(253)),
  release: v.string(),
  digest,
  advisory: v.picklist(ADVISORIES),
  summary: prose(MAX_SUMMARY),
  time: instant,
  nonce: hex32,
});

export type Advisory = v.InferOutput<typeof advisorySchema>;

/** Canonical bytes of an advisory. */
export function formatAdvisory(advisory: Advisory): Uint8Array {
  const bytes = formatCanonical(advisory);
  parseAdvisory(bytes);
  return bytes;
}

/** Parses the payload of an advisory's envelope. Throws `bad-json`, `bad-document`, `bad-name`. */
export function parseAdvisory(bytes: Uint8Array): Advisory {
  const advisory = parseShape(
    advisorySchema,
    parseCanonical(bytes, 'the advisory'),
    'the advisory',
  );
  if (formatReleaseName(parseReleaseName(advisory.release)) !== advisory.release) {
    throw new CodedError('bad-document', 'the advisory: release is not in its normal form');
  }
  return advisory;
}

/** The role that must sign an advisory of that kind, or undefined when anybody of the namespace may. */
export function advisingRole(kind: AdvisoryKind): Role | undefined {
  return kind === 'recalled' || kind === 'superseded' ? 'release-manager' : undefined;
}
