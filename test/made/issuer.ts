/**
 * A made issuer of identity tokens on the loopback, as honest as a test wants it: it signs
 * whatever it is told to, and `answer` may say anything at all in place of its documents.
 */
import { webcrypto } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';

export interface MadeIssuerKey {
  readonly kid: string;
  readonly pair: GenerateKeyPairResult;
  /** As the key set shows it. */
  readonly jwk: JWK;
}

export async function makeIssuerKey(kid: string, alg = 'ES256'): Promise<MadeIssuerKey> {
  const pair = await generateKeyPair(alg, { extractable: true });
  return { kid, pair, jwk: { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' } };
}

export class MadeIssuer {
  /** Those that the key set shows. */
  keys: MadeIssuerKey[] = [];
  /** Answers a request in place of the issuer, and says so. */
  answer: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  /** Paths of all requests so far. */
  readonly requests: string[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(): Promise<MadeIssuer> {
    const made = new MadeIssuer();
    made.keys = [await makeIssuerKey('first')];
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Signs `claims` with a key of the issuer; `header` may say otherwise than what is true. */
  async sign(
    claims: Readonly<Record<string, unknown>>,
    header: Partial<JWTHeaderParameters> = {},
    key = this.keys[0]!,
  ): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: key.jwk.alg!, kid: key.kid, typ: 'JWT', ...header })
      .sign(key.pair.privateKey);
  }

  /** Signs any header and any text, as no honest library would. */
  async signText(header: Readonly<Record<string, unknown>>, claims: string): Promise<string> {
    const parts = [JSON.stringify(header), claims];
    const signed = parts.map((part) => Buffer.from(part).toString('base64url')).join('.');
    const signature = await webcrypto.subtle.sign(
      { name: 'ECDSA', hash: 'SHA-256' },
      this.keys[0]!.pair.privateKey as webcrypto.CryptoKey,
      Buffer.from(signed),
    );
    return `${signed}.${Buffer.from(signature).toString('base64url')}`;
  }

  /** How often the key set was read. */
  get asked(): number {
    return this.requests.filter((path) => path === '/keys').length;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(request.url ?? '');
    if (this.answer(request, response)) return;
    const documents: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': { issuer: this.url, jwks_uri: `${this.url}/keys` },
      '/keys': { keys: this.keys.map(({ jwk }) => jwk) },
    };
    const document = documents[request.url ?? ''];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  }
}
