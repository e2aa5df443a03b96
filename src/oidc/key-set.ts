/**
 * The keys of one issuer: where they are (OpenID Connect Discovery 1.0, section 4), what they
 * are (RFC 7517), and for how long that is believed.
 *
 * Keys are kept for `CACHE_SECONDS`: for so long an issuer may be away, and for so long a key
 * that it took out of its set is still accepted. A key that is not in the set is looked for
 * anew, but strangers must not make us ask all the time: at most once in `ASK_AGAIN_SECONDS`.
 * Where the issuer cannot be asked, nothing is accepted.
 */
import { importJWK } from 'jose';
import * as v from 'valibot';
import { CodedError } from '../core/error.ts';
import { type Json, parseJson } from '../core/json.ts';
import { parseShape } from '../core/shape.ts';
import { type Network, parseFetchUrl } from './address.ts';
import { getDocument, MAX_DOCUMENT_BYTES } from './document.ts';
import type { Algorithm, TrustedIssuer } from './issuers.ts';

/** Seconds that a set of keys is kept. */
export const CACHE_SECONDS = 600;
/** Seconds between two questions for a key that is not in the set. */
export const ASK_AGAIN_SECONDS = 30;
/** Seconds before an issuer that did not answer is asked again. */
const RETRY_SECONDS = 5;

const MAX_KEYS = 100;
const LIMITS = { maxBytes: MAX_DOCUMENT_BYTES, maxDepth: 16 };

/** A key of an issuer, and the one algorithm that it is used with. */
export interface IssuerKey {
  readonly algorithm: Algorithm;
  readonly key: Awaited<ReturnType<typeof importJWK>>;
}
type Keys = ReadonlyMap<string, IssuerKey>;

/** The part of OpenID Provider Metadata that is read. */
const metadataShape = v.looseObject({ issuer: v.string(), jwks_uri: v.string() });

const keyShape = v.looseObject({
  kid: v.pipe(v.string(), v.minLength(1), v.maxLength(512)),
  kty: v.picklist(['RSA', 'EC']),
  alg: v.optional(v.string()),
  use: v.optional(v.literal('sig')),
  key_ops: v.optional(v.pipe(v.array(v.string()), v.includes('verify'))),
});
const rsaShape = v.object({ n: v.pipe(v.string(), v.maxLength(1_400)), e: v.string() });
const p256Shape = v.object({ crv: v.literal('P-256'), x: v.string(), y: v.string() });

export class KeySet {
  readonly #issuer: TrustedIssuer;
  readonly #network: Network;
  #keys: Keys = new Map();
  /** Milliseconds since 1970 when the keys were read, and when they were asked for last. */
  #readAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<Keys> | undefined;

  constructor(issuer: TrustedIssuer, network: Network) {
    this.#issuer = issuer;
    this.#network = network;
  }

  /** The key called `kid`, or undefined. Throws `network` or `untrusted` when the issuer cannot be asked. */
  async find(kid: string, now: number): Promise<IssuerKey | undefined> {
    const isFresh = isWithin(CACHE_SECONDS, this.#readAt, now);
    const known = isFresh ? this.#keys.get(kid) : undefined;
    if (known !== undefined) return known;
    const pause = isFresh ? ASK_AGAIN_SECONDS : RETRY_SECONDS;
    if (this.#asking === undefined && isWithin(pause, this.#askedAt, now)) {
      if (isFresh) return undefined;
      throw new CodedError(
        'network',
        `the keys of ${this.#issuer.issuer} could not be read just now; try again shortly`,
        { retryAfterSeconds: RETRY_SECONDS },
      );
    }
    return (await this.#ask(now)).get(kid);
  }

  /** Whoever asks meanwhile waits for the same answer. */
  #ask(now: number): Promise<Keys> {
    if (this.#asking !== undefined) return this.#asking;
    this.#askedAt = now;
    this.#asking = this.#read()
      .then((keys) => {
        this.#keys = keys;
        this.#readAt = now;
        return keys;
      })
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  async #read(): Promise<Keys> {
    const { issuer, algorithms } = this.#issuer;
    const address = parseFetchUrl(await this.#address(), this.#network.allowLoopback);
    const bytes = await getDocument(address, this.#network);
    return readKeys(parse(bytes, `the key set of ${issuer}`), issuer, algorithms);
  }

  /** Discovery, section 4.3: metadata of another issuer says nothing about this one. */
  async #address(): Promise<string> {
    const { issuer, jwksUri } = this.#issuer;
    if (jwksUri !== undefined) return jwksUri;
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const document = parseFetchUrl(url, this.#network.allowLoopback);
    const what = `the configuration of ${issuer}`;
    const found = parse(await getDocument(document, this.#network), what);
    const metadata = parseShape(metadataShape, found, what, 'network');
    if (metadata.issuer === issuer) return metadata.jwks_uri;
    throw new CodedError('untrusted', `${what} is that of another issuer`);
  }
}

/** A clock that went back makes nothing fresh. */
function isWithin(seconds: number, since: number, now: number): boolean {
  return now >= since && now - since < seconds * 1_000;
}

/** What an issuer serves is its fault, not the client's: a failure of the network, so to say. */
function parse(bytes: Uint8Array, what: string): Json {
  try {
    return parseJson(bytes, what, LIMITS);
  } catch (error) {
    throw new CodedError('network', `${what} is malformed`, {}, { cause: error });
  }
}

/**
 * The keys of a set that can be used: those of another kind are left alone, as RFC 7517
 * (section 5) asks. Two keys of one name are refused: which one a token means must be certain.
 */
async function readKeys(
  document: Json,
  issuer: string,
  algorithms: readonly Algorithm[],
): Promise<Keys> {
  const setShape = v.looseObject({ keys: v.pipe(v.array(v.unknown()), v.maxLength(MAX_KEYS)) });
  const set = parseShape(setShape, document, `the key set of ${issuer}`, 'network');
  const keys = new Map<string, IssuerKey>();
  for (const jwk of set.keys) {
    const found = await readKey(jwk);
    if (found === undefined || !algorithms.includes(found.algorithm)) continue;
    const { kid, ...key } = found;
    if (keys.has(kid)) {
      throw new CodedError('network', `the key set of ${issuer} has two keys of one name`);
    }
    keys.set(kid, key);
  }
  return keys;
}

/** Takes the public numbers of a key and nothing else: no x5u, no private part, no secret. */
async function readKey(jwk: unknown): Promise<(IssuerKey & { kid: string }) | undefined> {
  const named = v.safeParse(keyShape, jwk);
  if (!named.success) return undefined;
  const { kid, kty, alg } = named.output;
  const algorithm = kty === 'RSA' ? 'RS256' : 'ES256';
  if (alg !== undefined && alg !== algorithm) return undefined;
  const numbers = v.safeParse(kty === 'RSA' ? rsaShape : p256Shape, jwk);
  if (!numbers.success) return undefined;
  try {
    return { kid, algorithm, key: await importJWK({ kty, ...numbers.output }, algorithm) };
  } catch {
    return undefined;
  }
}
