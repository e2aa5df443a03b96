/**
 * Trusted publishers: jobs of a CI system that may push to a namespace without holding a
 * secret. The system's OpenID provider (the *issuer*) signs who a job is; a namespace says
 * which jobs it trusts, by the exact values of claims:
 *
 *     {"audience": "weights.example",
 *      "claims": {"environment": "release", "repository": "acme/kimi"},
 *      "issuer": "https://token.actions.githubusercontent.com"}
 *
 * Every value is compared whole, as text: no pattern, no prefix, no folding of case. What an
 * identity says beside the named claims does not matter.
 */
import * as v from 'valibot';
import { type Digest, digestHex, digestOf } from '../digest.ts';
import type { Host } from '../host.ts';
import { formatCanonical, type JsonObject } from '../json.ts';

declare const brand: unique symbol;

/** What a verified identity token says. Made only by `src/oidc`, once everything was checked. */
export interface Identity {
  readonly issuer: string;
  /** The one audience. */
  readonly audience: string;
  readonly subject: string;
  /** All that the token holds. */
  readonly claims: JsonObject;
  /** Seconds since 1970, after which the token is good for nothing. */
  readonly expires: number;
  /** What tells this token from every other one of any issuer: it is taken once. */
  readonly fingerprint: Digest;
  readonly [brand]: 'Identity';
}

/** Trusted publishers that one namespace may have. */
export const MAX_PUBLISHERS = 64;
const MAX_CLAIMS = 16;
const MAX_ISSUER = 512;
const MAX_VALUE = 1_024;

/** Checked by other means than by being named here: they differ from token to token. */
const REGISTERED = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti'] as const;

/**
 * Claims of which one must be named. An issuer such as GitHub's signs for everybody's jobs:
 * `ref=refs/heads/main` alone would trust the main branch of the whole world.
 */
export const IDENTIFYING_CLAIMS = [
  'sub',
  'repository',
  'repository_id',
  'project_path',
  'project_id',
  'client_id',
] as const;

const HTTP_LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])$/;

/** True for an address that an issuer may have: https, or http on this very machine. */
export function isIssuerUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || text.length > MAX_ISSUER || !/^https?:\/\/[\x21-\x7e]+$/.test(text)) {
    return false;
  }
  if (`${url.username}${url.password}${url.search}${url.hash}` !== '') return false;
  return url.protocol === 'https:' || HTTP_LOOPBACK.test(url.hostname);
}

/** The URL of an issuer. It is compared as text: a slash at its end makes it another one. */
export const issuerUrl = v.pipe(
  v.string(),
  v.check(isIssuerUrl, 'must be an https URL without query or fragment'),
);

/** Visible text of one line. */
const text = (maxLength: number) =>
  v.pipe(
    v.string(),
    v.minLength(1, 'must not be empty'),
    v.maxLength(maxLength, `must have at most ${maxLength} characters`),
    v.regex(/^[^\p{Cc}]*$/u, 'must not hold control characters'),
  );

const claimName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/, 'must be the name of a claim'),
  v.check(
    (name) => !(REGISTERED as readonly string[]).includes(name),
    `must be another one than ${REGISTERED.join(', ')}, which are always checked`,
  ),
);

const claims = v.pipe(
  v.record(claimName, text(MAX_VALUE)),
  v.check((it) => Object.keys(it).length <= MAX_CLAIMS, `must name at most ${MAX_CLAIMS} claims`),
  v.check(
    (it) => IDENTIFYING_CLAIMS.some((name) => Object.hasOwn(it, name)),
    `must say whose jobs are meant, with one of ${IDENTIFYING_CLAIMS.join(', ')}`,
  ),
);

export const trustedPublisher = v.strictObject({
  issuer: issuerUrl,
  audience: text(256),
  claims,
});

export type TrustedPublisher = v.InferOutput<typeof trustedPublisher>;

/** How people and logs call a trusted publisher: 16 hex digits of what it is made of. */
export function publisherId(host: Pick<Host, 'sha256'>, publisher: TrustedPublisher): string {
  const { issuer, audience, claims } = publisher;
  return digestHex(digestOf(host, formatCanonical({ issuer, audience, claims }))).slice(0, 16);
}

/** The first of `publishers` that the identity is, or undefined. */
export function findPublisher<P extends TrustedPublisher>(
  publishers: readonly P[],
  identity: Identity,
): P | undefined {
  return publishers.find(
    ({ issuer, audience, claims }) =>
      identity.issuer === issuer &&
      identity.audience === audience &&
      Object.entries(claims).every(([name, value]) => says(identity, name, value)),
  );
}

/** A list that holds the value, or a number that looks like it, is not the value. */
function says({ claims }: Identity, name: string, value: string): boolean {
  return Object.hasOwn(claims, name) && claims[name] === value;
}
