/**
 * A real OpenID provider on the loopback (the package `oidc-provider`), which gives a CI job a
 * signed JWT with claims of its own, as GitHub's and GitLab's do.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const CLIENT = { id: 'ci-job', secret: 'only the CI system knows this' };

class NothingKept {
  async find(): Promise<undefined> {}
  async upsert(): Promise<void> {}
}

export class OpenIdProvider {
  readonly url: string;
  readonly #server: Server;
  #claims: Readonly<Record<string, unknown>>;

  private constructor(url: string, server: Server) {
    this.url = url;
    this.#server = server;
    this.#claims = {};
  }

  /** Signs with `alg`, for `audience`. */
  static async start(alg: 'RS256' | 'ES256', audience: string): Promise<OpenIdProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const made = new OpenIdProvider(url, server);
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(privateKey)), kid: `${alg} of the provider`, alg };
    const provider = new Provider(url, made.#configuration(jwk, alg, audience));
    server.on('request', provider.callback());
    return made;
  }

  /** The identity token of a job, signed by the provider at its token endpoint. */
  async identityOf(claims: Readonly<Record<string, unknown>>): Promise<string> {
    this.#claims = claims;
    const basic = Buffer.from(`${CLIENT.id}:${encodeURIComponent(CLIENT.secret)}`);
    const response = await fetch(`${this.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic.toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const answer = (await response.json()) as { readonly access_token?: string };
    if (answer.access_token === undefined) throw new Error(JSON.stringify(answer));
    return answer.access_token;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #configuration(jwk: unknown, alg: string, audience: string) {
    return {
      // Nothing is looked up again: what it gives out is a JWT.
      adapter: NothingKept,
      ttl: { ClientCredentials: 300 },
      jwks: { keys: [jwk] },
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
          id_token_signed_response_alg: alg,
        },
      ],
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => 'urn:weighhouse:test',
          getResourceServerInfo: () => ({
            scope: '',
            audience,
            accessTokenFormat: 'jwt',
            accessTokenTTL: 300,
            jwt: { sign: { alg } },
          }),
        },
      },
      extraTokenClaims: () => this.#claims,
    };
  }
}
