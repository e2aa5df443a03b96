/**
 * A provider on the loopback that says what a test wants, in its metadata and in its ID tokens. Of
 * itself it tells the truth, so that a test changes one thing and knows what is refused.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MadeIssuer, type MadeIssuerKey } from './issuer.ts';
import { CLIENT, DANA } from './people-provider.ts';

type Members = Readonly<Record<string, unknown>>;

export class LyingProvider {
  readonly #issuer: MadeIssuer;
  /** Members of its metadata that are other than they should be. */
  metadata: Members = {};
  /** What its token endpoint answers, in place of an ID token; undefined for one. */
  answer: Members | undefined;
  /** Claims of the ID token that are other than they should be; undefined leaves one out. */
  claims: Members = {};
  /** Signs the ID token, if it is not the right key. */
  key: MadeIssuerKey | undefined;
  #nonce = '';

  private constructor(issuer: MadeIssuer) {
    this.#issuer = issuer;
    issuer.answer = (request, response) => this.#answer(request, response);
  }

  static async start(): Promise<LyingProvider> {
    return new LyingProvider(await MadeIssuer.start());
  }

  get url(): string {
    return this.#issuer.url;
  }

  /** Paths that were asked. */
  get requests(): readonly string[] {
    return this.#issuer.requests;
  }

  reset(): void {
    this.metadata = {};
    this.answer = undefined;
    this.claims = {};
    this.key = undefined;
    this.#issuer.requests.length = 0;
  }

  /** The path that it sends whoever came to `url` back to. */
  back(url: URL): string {
    const { searchParams } = url;
    this.#nonce = searchParams.get('nonce')!;
    const query = new URLSearchParams({ code: 'c', state: searchParams.get('state')! });
    return `${new URL(searchParams.get('redirect_uri')!).pathname}?${query}`;
  }

  close(): Promise<void> {
    return this.#issuer.close();
  }

  #answer({ url = '' }: IncomingMessage, response: ServerResponse): boolean {
    const send = (json: Members) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    if (url === '/.well-known/openid-configuration') send({ ...this.#honest(), ...this.metadata });
    else if (url === '/token') void this.#tokens().then(send);
    else return false;
    return true;
  }

  #honest(): Members {
    return {
      issuer: this.url,
      jwks_uri: `${this.url}/keys`,
      authorization_endpoint: `${this.url}/authorise`,
      token_endpoint: `${this.url}/token`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    };
  }

  async #tokens(): Promise<Members> {
    const tokens = { access_token: 'a', token_type: 'Bearer' };
    if (this.answer !== undefined) return { ...tokens, ...this.answer };
    const now = Math.floor(Date.now() / 1000);
    const right = { iss: this.url, aud: CLIENT.id, iat: now, exp: now + 300, nonce: this.#nonce };
    const all = Object.entries({ ...right, ...DANA, ...this.claims });
    const claims = Object.fromEntries(all.filter(([, value]) => value !== undefined));
    return { ...tokens, id_token: await this.#issuer.sign(claims, {}, this.key) };
  }
}
