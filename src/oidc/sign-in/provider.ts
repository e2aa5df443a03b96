/**
 * One OpenID provider, as people sign in with it: the authorization code flow with PKCE (OpenID
 * Connect Core 1.0, RFC 7636, RFC 9207). What the protocol asks for is openid-client's; ours is
 * where it may go, that ID tokens are signed whatever the connection proved, and the words.
 */
import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientError,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  ResponseBodyError,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { CodedError, messageOf } from '../../core/error.ts';
import type { Network } from '../address.ts';
import { type Claims, describeStranger, findPerson } from './person.ts';
import { pinnedFetch } from './pinned-fetch.ts';
import type { KnownPerson, ProviderSettings } from './providers-file.ts';

/** Milliseconds for which a provider's metadata is believed. */
const CACHE_MS = 600_000;

/** What only the browser that began knows, beside us. */
export interface Secrets {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export class Provider {
  readonly name: string;
  readonly issuer: string;
  readonly #settings: ProviderSettings;
  readonly #network: Network;
  #found: { readonly configuration: Configuration; readonly readAt: number } | undefined;
  #asking: Promise<Configuration> | undefined;

  constructor(settings: ProviderSettings, network: Network) {
    this.name = settings.name;
    this.issuer = settings.issuer;
    this.#settings = settings;
    this.#network = network;
  }

  /** Where a person is sent, and what must be known when they come back. Throws `network`. */
  async begin(redirectUri: string, now: number): Promise<{ url: URL; secrets: Secrets }> {
    const secrets = {
      state: randomState(),
      nonce: randomNonce(),
      verifier: randomPKCECodeVerifier(),
    };
    const configuration = await this.#configuration(now);
    const asked = {
      redirect_uri: redirectUri,
      scope: this.#settings.scopes.join(' '),
      state: secrets.state,
      nonce: secrets.nonce,
      code_challenge: await calculatePKCECodeChallenge(secrets.verifier),
      code_challenge_method: 'S256',
    };
    try {
      return { url: buildAuthorizationUrl(configuration, asked), secrets };
    } catch (error) {
      // Metadata that names no page to go to, or one that is no web page.
      throw this.#unreachable(error);
    }
  }

  /** Who has come back to `callback`. Throws `not-authorised`, and `network` where the provider cannot be asked. */
  async finish(callback: URL, secrets: Secrets, now: number): Promise<KnownPerson> {
    const configuration = await this.#configuration(now);
    const claims = await this.#claims(configuration, callback, secrets).catch((error: unknown) => {
      throw this.#explain(error);
    });
    const person = findPerson(this.#settings.people, claims);
    if (person !== undefined) return person;
    throw new CodedError('not-authorised', describeStranger(this.name, claims));
  }

  async #claims(
    configuration: Configuration,
    callback: URL,
    { state, nonce, verifier }: Secrets,
  ): Promise<Claims> {
    const answer = await authorizationCodeGrant(configuration, callback, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
    const claims: Claims = { ...answer.claims() };
    if (!this.#lacks(claims) || configuration.serverMetadata().userinfo_endpoint === undefined) {
      return claims;
    }
    const { access_token } = answer;
    const more = await fetchUserInfo(configuration, access_token, String(claims.sub));
    return { ...more, ...claims };
  }

  /** Many providers tell an address at their userinfo endpoint alone. */
  #lacks(claims: Claims): boolean {
    const asked = this.#settings.people.flatMap((person) => Object.keys(person.claims));
    return asked.some((name) => !Object.hasOwn(claims, name));
  }

  /** Whoever asks meanwhile waits for the same answer. */
  #configuration(now: number): Promise<Configuration> {
    const found = this.#found;
    const age = found === undefined ? Number.NaN : now - found.readAt;
    if (found !== undefined && age >= 0 && age < CACHE_MS) {
      return Promise.resolve(found.configuration);
    }
    this.#asking ??= this.#discover()
      .then((configuration) => {
        this.#found = { configuration, readAt: now };
        return configuration;
      })
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  async #discover(): Promise<Configuration> {
    const { clientId, clientSecret } = this.#settings;
    const { allowLoopback, timeout } = this.#network;
    const auth = clientSecret === undefined ? None() : withSecret(clientSecret);
    const configuration = await discovery(new URL(this.issuer), clientId, undefined, auth, {
      [customFetch]: pinnedFetch(this.#network),
      timeout: Math.ceil(timeout / 1000),
      execute: [enableNonRepudiationChecks, ...(allowLoopback ? [allowInsecureRequests] : [])],
    }).catch((error: unknown) => {
      throw this.#unreachable(error);
    });
    // The library makes exceptions for providers that speak for many tenants; we make none.
    if (configuration.serverMetadata().issuer === this.issuer) return configuration;
    throw this.#unreachable(new Error('its metadata is that of another issuer'));
  }

  #explain(error: unknown): CodedError {
    const { name } = this;
    if (error instanceof AuthorizationResponseError) {
      const said = wordOf(error.error);
      return refused(`${name} did not sign you in (${said}): begin again`, error);
    }
    if (error instanceof ResponseBodyError && error.error === 'invalid_grant') {
      return refused(`${name} does not take back what it sent you with: begin again`, error);
    }
    if (error instanceof ResponseBodyError || isOfNetwork(error)) return this.#unreachable(error);
    return refused(`what ${name} answered does not fit what was asked: begin again`, error);
  }

  #unreachable(cause: unknown): CodedError {
    return new CodedError(
      'network',
      `${this.name} cannot be asked now: try again in a minute, or sign in another way; the operator finds the reason in the server’s log`,
      {},
      { cause },
    );
  }
}

/** What went wrong, down to the first cause: for the operator. It repeats nothing that a provider sent. */
export function reasonsOf(error: unknown): string {
  const reasons: string[] = [];
  for (let cause = error; cause instanceof Error && reasons.length < 5; cause = cause.cause) {
    const said = cause instanceof ResponseBodyError ? ` (${wordOf(cause.error)})` : '';
    reasons.push(messageOf(cause) + said);
  }
  return reasons.join(': ');
}

/** Discovery, section 3: a provider that says nothing takes Basic. */
function withSecret(secret: string): ClientAuth {
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)];
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return (methods.includes('client_secret_basic') ? basic : post)(server, ...rest);
  };
}

/** Answers of a server that fails, or of something in front of it. */
const FAILURES: readonly unknown[] = [
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
];

function isOfNetwork(error: unknown): boolean {
  if (error instanceof ClientError && FAILURES.includes(error.code)) return true;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof CodedError) return true;
  }
  return false;
}

/** An error code of OAuth is one word; what else stands in its place anybody may have written. */
function wordOf(code: string): string {
  return /^[a-z_]{1,64}$/.test(code) ? code : 'no reason given';
}

function refused(message: string, cause: unknown): CodedError {
  return new CodedError('not-authorised', message, {}, { cause });
}
