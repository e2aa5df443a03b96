/**
 * `decisions.json`: what opens the commitments about a release, revealed when it is published.
 * Canonical JSON:
 *
 *     v          1
 *     release    "namespace/name@version"
 *     digest     D of the release
 *     decisions  by index: [{index, label, salt, envelope}]
 *
 * The envelope is the DSSE envelope as a JSON value; its canonical bytes are what the signer
 * committed to. Decisions on former revisions stand here too: their subject says which. So does
 * the registry's own seal. Whether labels, salts and signatures fit, `opened-decision.ts` finds.
 */
import * as v from 'valibot';
import type { Digest } from '../digest.ts';
import { CodedError } from '../error.ts';
import { formatCanonical, type Json, type JsonLimits, parseCanonical } from '../json.ts';
import { count, digest, hex32, parseShape } from '../shape.ts';
import { type Envelope, envelopeFromJson, envelopeToJson } from '../statement/dsse.ts';
import { formatReleaseName, parseReleaseName } from './name.ts';

/** Decisions about one release, former revisions included. */
export const MAX_DECISIONS = 10_000;
export const DECISIONS_LIMITS: JsonLimits = { maxBytes: 64 * 2 ** 20, maxDepth: 8 };

/** What opens one commitment. */
export interface RevealedDecision {
  /** Log index of the commitment. */
  readonly index: number;
  /** Hex. */
  readonly label: string;
  /** Hex. */
  readonly salt: string;
  readonly envelope: Envelope;
}

export interface Decisions {
  /** `namespace/name@version`. */
  readonly release: string;
  readonly digest: Digest;
  readonly decisions: readonly RevealedDecision[];
}

const decisionsSchema = v.strictObject({
  v: v.literal(1),
  release: v.string(),
  digest,
  decisions: v.pipe(
    v.array(v.strictObject({ index: count, label: hex32, salt: hex32, envelope: v.unknown() })),
    v.maxLength(MAX_DECISIONS),
  ),
});

/** The bytes of decisions.json. Throws as `parseDecisions`. */
export function formatDecisions({ release, digest, decisions }: Decisions): Uint8Array {
  const revealed = decisions.map(({ index, label, salt, envelope }) => ({
    index,
    label,
    salt,
    envelope: envelopeToJson(envelope),
  }));
  const bytes = formatCanonical({ v: 1, release, digest, decisions: revealed });
  parseDecisions(bytes);
  return bytes;
}

/** Parses decisions.json. Throws `too-large`, `bad-json`, `bad-document`, `bad-envelope`, `bad-name`. */
export function parseDecisions(bytes: Uint8Array, what = 'decisions.json'): Decisions {
  const json = parseCanonical(bytes, what, DECISIONS_LIMITS);
  const { release, digest, decisions } = parseShape(decisionsSchema, json, what);
  if (formatReleaseName(parseReleaseName(release)) !== release) {
    refuse(`${what}: release is not in its normal form`);
  }
  const labels = new Set<string>();
  return {
    release,
    digest,
    decisions: decisions.map(({ envelope, ...rest }, i) => {
      if (i > 0 && decisions[i - 1]!.index >= rest.index) {
        refuse(`${what}, decisions.${i}: they must be in the order of the log, each once`);
      }
      if (labels.has(rest.label)) refuse(`${what}, decisions.${i}: the label stands twice`);
      labels.add(rest.label);
      const where = `${what}, decisions.${i}.envelope`;
      return { ...rest, envelope: envelopeFromJson(envelope as Json, where) };
    }),
  };
}

function refuse(why: string): never {
  throw new CodedError('bad-document', why);
}
