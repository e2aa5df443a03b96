/**
 * What a publisher says of a release beside its bytes. It is sealed into the manifest, so that
 * whoever decides on the release decides on this, too, and nobody can say something else later;
 * but no byte proves it, and it is shown as the publisher's word:
 *
 *     source     where an imported release came from (`source.ts`)
 *     base       the releases of this registry that it was made from: {relation, release, digest},
 *                by code point of the release, each once
 *     companion  a hosted model that takes what this one cannot: {url, model}
 *
 * Of a base the registry does check that it is published, and has that digest, when the release
 * is sealed.
 */
import * as v from 'valibot';
import { compareCodePoints, parseUtf8 } from '../bytes.ts';
import { CodedError } from '../error.ts';
import { formatCanonical, type Json } from '../json.ts';
import { digest, parseShape } from '../shape.ts';
import { formatModel, formatReleaseName, parseReleaseName } from './name.ts';
import { sourceShape } from './source.ts';

/** How a release was made from another one, in the words of the Hugging Face hub (`base_model_relation`). */
export const RELATIONS = ['adapter', 'finetune', 'merge', 'quantized'] as const;

/** Releases that one was made from; of a merge there are several. */
export const MAX_BASES = 16;
/** Characters of an address. */
export const MAX_COMPANION_URL = 512;
/** Characters of the name of a hosted model. */
export const MAX_COMPANION_MODEL = 128;

const baseShape = v.strictObject({
  relation: v.picklist(RELATIONS, `must be one of ${RELATIONS.join(', ')}`),
  release: v.string(),
  digest,
});

/** An address of an API, for people and programs: no credentials, query or fragment. */
const COMPANION_URL =
  /^https:\/\/[a-z0-9.-]{1,253}(?::[0-9]{1,5})?(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*\/?$/;

const companionShape = v.strictObject({
  url: v.pipe(
    v.string(),
    v.maxLength(MAX_COMPANION_URL, `must have at most ${MAX_COMPANION_URL} characters`),
    v.regex(COMPANION_URL, 'must be an address like https://HOST/PATH'),
  ),
  model: v.pipe(
    v.string(),
    v.maxLength(MAX_COMPANION_MODEL, `must have at most ${MAX_COMPANION_MODEL} characters`),
    v.regex(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$/, 'must be the name that the API has for it'),
  ),
});

/** The members of a document that makes these claims. */
export const claimMembers = {
  source: v.exactOptional(sourceShape),
  base: v.exactOptional(
    v.pipe(
      v.array(baseShape),
      v.minLength(1, 'names at least one release'),
      v.maxLength(MAX_BASES, `names at most ${MAX_BASES} releases`),
    ),
  ),
  companion: v.exactOptional(companionShape),
};

const claimsShape = v.strictObject(claimMembers);

export type Claims = v.InferOutput<typeof claimsShape>;
export type Base = NonNullable<Claims['base']>[number];

/** The claims alone of whatever makes them. */
export function claimsOf({ source, base, companion }: Partial<Claims>): Claims {
  return {
    ...(source !== undefined && { source }),
    ...(base !== undefined && { base }),
    ...(companion !== undefined && { companion }),
  };
}

/** Checks claims that came from outside; throws `bad-document`, `bad-reference`, `bad-name`. */
export function parseClaims(value: unknown): Claims {
  const claims = parseShape(claimsShape, value, 'the claims');
  requireBases(claims);
  return claims;
}

/** Do both say the same? */
export function isSameClaims(a: Partial<Claims>, b: Partial<Claims>): boolean {
  return textOf(a) === textOf(b);
}

/** Throws `bad-document`, `bad-reference`, `bad-name` for bases that are not in their one form. */
export function requireBases({ base = [] }: Claims): void {
  base.forEach(({ release }, i) => {
    if (formatReleaseName(parseReleaseName(release)) !== release) {
      refuse(`base.${i}: ${release} is not in its normal form`);
    }
    if (i > 0 && compareCodePoints(base[i - 1]!.release, release) >= 0) {
      refuse(`base.${i}: releases must be in code point order, each once`);
    }
  });
}

/** What a release is tagged with for its bases, as at the Hugging Face hub, and found by. */
export function baseTags({ base = [] }: Claims): string[] {
  return base.flatMap(({ relation, release }) => {
    const model = formatModel(parseReleaseName(release));
    return [`base_model:${model}`, `base_model:${relation}:${model}`];
  });
}

function textOf(claims: Partial<Claims>): string {
  return parseUtf8(formatCanonical(claimsOf(claims) as Json), 'the claims');
}

function refuse(why: string): never {
  throw new CodedError('bad-document', why);
}
