/**
 * A served registry whose namespace acme trusts the jobs of one made issuer:
 *
 *     const publishing = useTrustedPublishing();
 *     test('…', async () => {
 *       const { status, body } = await publishing().exchange(await publishing().token());
 *     });
 */
import { afterEach, beforeEach, expect } from '@jest/globals';
import type { JWTHeaderParameters } from 'jose';
import { parseNamespace } from '../../src/core/release/name.ts';
import { publisherId } from '../../src/core/release/trusted-publisher.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { internet, type Network } from '../../src/oidc/address.ts';
import { openIdentities } from '../../src/oidc/identity.ts';
import { type Algorithm, parseIssuers } from '../../src/oidc/issuers.ts';
import { trustPublisher } from '../../src/registry/trusted-publishers.ts';
import { MadeIssuer, type MadeIssuerKey } from './issuer.ts';
import type { Loose } from './loose.ts';
import { Served } from './served.ts';

export const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';
/** What the namespace acme asks of a job. */
export const JOB = { repository: 'acme/tiny', ref: 'refs/heads/main', environment: 'release' };

type Claims = Readonly<Record<string, unknown>>;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly headers: Headers;
  readonly body: Loose;
}

export interface PublishingOptions {
  readonly algorithms?: readonly Algorithm[];
  readonly jwksUri?: string;
  readonly network?: Partial<Network>;
}

/** A network in which the loopback is allowed, and nobody waits long. */
export function testNetwork(changes: Partial<Network> = {}): Network {
  return { ...internet, allowLoopback: true, timeout: 1_000, ...changes };
}

/** Begins trusted publishing anew for each test. */
export function useTrustedPublishing(options: PublishingOptions = {}): () => TrustedPublishing {
  let made: TrustedPublishing;
  beforeEach(async () => {
    made = await TrustedPublishing.start(options);
  });
  afterEach(() => made.stop());
  return () => made;
}

export class TrustedPublishing {
  readonly issuer: MadeIssuer;
  readonly served: Served;
  #offset = 0;
  #tokens = 0;

  private constructor(issuer: MadeIssuer, served: Served) {
    this.issuer = issuer;
    this.served = served;
  }

  static async start({ algorithms, jwksUri, network }: PublishingOptions = {}) {
    const issuer = await MadeIssuer.start();
    const listed = {
      issuer: issuer.url,
      algorithms: algorithms ?? ['ES256', 'RS256'],
      ...(jwksUri === undefined ? {} : { jwks_uri: jwksUri }),
    };
    const list = new TextEncoder().encode(JSON.stringify([listed]));
    const issuers = parseIssuers(list, 'the list', true);
    const identities = openIdentities(nodeHost, issuers, testNetwork(network));
    const served = await Served.start({ parts: { identities } });
    const made = new TrustedPublishing(issuer, served);
    await trustPublisher(served.store, parseNamespace('acme'), made.publisher, made.idOf);
    return made;
  }

  readonly idOf = publisherId.bind(undefined, nodeHost);

  get publisher() {
    return { issuer: this.issuer.url, audience: this.served.origin, claims: JOB };
  }

  /** Lets the server's clock go on, and the issuer's. */
  pass(milliseconds: number): void {
    this.#offset += milliseconds;
    this.served.pass(milliseconds);
  }

  /** The right claims of a job that runs now, but for `changes`; undefined leaves one out. */
  claims(changes: Claims = {}): Claims {
    const now = Math.floor((Date.now() + this.#offset) / 1000);
    const right = {
      iss: this.issuer.url,
      aud: this.served.origin,
      sub: 'repo:acme/tiny:environment:release',
      iat: now,
      nbf: now,
      exp: now + 300,
      jti: `token-${++this.#tokens}`,
      ...JOB,
    };
    const all = Object.entries({ ...right, ...changes });
    return Object.fromEntries(all.filter(([, value]) => value !== undefined));
  }

  /** An identity token with the right claims, but for `changes`. */
  token(
    changes: Claims = {},
    header?: Partial<JWTHeaderParameters>,
    key?: MadeIssuerKey,
  ): Promise<string> {
    return this.issuer.sign(this.claims(changes), header, key);
  }

  /** Asks for a token; undefined leaves a parameter out. */
  async exchange(
    token: string,
    changes: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Answer> {
    const form = {
      grant_type: GRANT_TYPE,
      subject_token: token,
      subject_token_type: JWT_TYPE,
      scope: 'push:acme',
      ...changes,
    };
    const given = Object.entries(form).filter(([, value]) => value !== undefined);
    return this.post(new URLSearchParams(given as [string, string][]).toString());
  }

  async post(body: string, type = 'application/x-www-form-urlencoded'): Promise<Answer> {
    const response = await this.served.fetch('/api/v1/token', {
      method: 'POST',
      headers: { 'content-type': type },
      body: new TextEncoder().encode(body),
    });
    const { status, headers } = response;
    const got = headers.get('content-type') ?? '';
    return { status, type: got, headers, body: await response.json() };
  }

  /** A CI token for the namespace acme. */
  async admitted(): Promise<string> {
    const { status, body } = await this.exchange(await this.token());
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body.access_token;
  }

  /** The token is refused as no good, and the right one is taken: it was not for another reason. */
  async refuses(token: string): Promise<void> {
    const { status, body } = await this.exchange(token);
    expect(body).toMatchObject({ error: 'invalid_grant', code: 'not-authorised' });
    expect(body).not.toHaveProperty('access_token');
    expect(status).toBe(400);
    await this.admitted();
  }

  async stop(): Promise<void> {
    await this.served.stop();
    await this.issuer.close();
  }
}
