/**
 * The issuers whose identity tokens this server looks at: `serve --oidc-issuers FILE`.
 *
 *     [{"algorithms": ["RS256"], "issuer": "https://token.actions.githubusercontent.com"},
 *      {"algorithms": ["RS256"], "issuer": "https://gitlab.com",
 *       "jwks_uri": "https://gitlab.com/oauth/discovery/keys"}]
 *
 * Nothing outside this list is ever asked for a key, whatever a token says. Without a
 * `jwks_uri` it is read from the issuer's own `/.well-known/openid-configuration`.
 */
import * as v from 'valibot';
import { CodedError } from '../core/error.ts';
import { parseJson } from '../core/json.ts';
import { issuerUrl } from '../core/release/trusted-publisher.ts';
import { parseShape } from '../core/shape.ts';
import { parseFetchUrl } from './address.ts';

/** Signatures that are taken at all; never `none`, never one whose key is a shared secret. */
const ALGORITHMS = ['RS256', 'ES256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

const MAX_ISSUERS = 64;

export interface TrustedIssuer {
  /** Exactly as its tokens say it. */
  readonly issuer: string;
  /** Where its keys are; undefined where discovery says. */
  readonly jwksUri: string | undefined;
  readonly algorithms: readonly Algorithm[];
}

const fileShape = v.pipe(
  v.array(
    v.strictObject({
      issuer: issuerUrl,
      jwks_uri: v.exactOptional(v.string()),
      algorithms: v.pipe(
        v.array(v.picklist(ALGORITHMS)),
        v.minLength(1, `must name one of ${ALGORITHMS.join(', ')}`),
      ),
    }),
  ),
  v.maxLength(MAX_ISSUERS, `must list at most ${MAX_ISSUERS} issuers`),
);

/**
 * Parses the list. `allowLoopback` lets issuers be on this machine, without TLS: for tests.
 * Throws `bad-json` or `bad-document`; `what` names the file.
 */
export function parseIssuers(
  bytes: Uint8Array,
  what: string,
  allowLoopback: boolean,
): readonly TrustedIssuer[] {
  const listed = parseShape(fileShape, parseJson(bytes, what), what);
  const seen = new Set<string>();
  for (const { issuer, jwks_uri } of listed) {
    if (seen.has(issuer)) throw new CodedError('bad-document', `${what} lists ${issuer} twice`);
    seen.add(issuer);
    for (const address of [issuer, jwks_uri ?? issuer]) parseFetchUrl(address, allowLoopback);
  }
  return listed.map(({ issuer, jwks_uri, algorithms }) => ({
    issuer,
    jwksUri: jwks_uri,
    algorithms,
  }));
}
