/**
 * A real OpenID provider of people on the loopback (the package `oidc-provider`). It asks nobody
 * for a password: `who` is at its keyboard, and has agreed to everything.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

export const CLIENT = { id: 'weighhouse', secret: 'only the registry & the provider know this' };

/** What the provider knows of somebody. */
export interface Account {
  readonly sub: string;
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly [claim: string]: unknown;
}

export const DANA: Account = { sub: 'u-1', email: 'dana@acme.example', email_verified: true };

export class PeopleProvider {
  readonly url: string;
  /** Who signs in next; undefined for somebody who thinks better of it. */
  who: Account | undefined = DANA;
  /** Answers a request in place of the provider, and says so. */
  answer: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  readonly #server: Server;

  private constructor(url: string, server: Server) {
    this.url = url;
    this.#server = server;
  }

  /** Lets people go on to `redirectUris` alone; a client of `auth` none has no secret. */
  static async start(redirectUris: readonly string[], auth: string): Promise<PeopleProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const made = new PeopleProvider(url, server);
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(privateKey)), kid: 'of people', alg: 'ES256', use: 'sig' };
    const provider: Provider = new Provider(url, {
      adapter: Kept,
      jwks: { keys: [jwk] },
      cookies: { keys: ['of the provider’s own cookies'] },
      clients: [
        {
          client_id: CLIENT.id,
          ...(auth === 'none' ? {} : { client_secret: CLIENT.secret }),
          token_endpoint_auth_method: auth,
          redirect_uris: redirectUris,
          grant_types: ['authorization_code'],
          response_types: ['code'],
          id_token_signed_response_alg: 'ES256',
        },
      ],
      claims: { openid: ['sub'], email: ['email', 'email_verified'] },
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
      ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
      findAccount: (_: unknown, sub: string) => ({
        accountId: sub,
        claims: () => ({ ...made.who, sub }),
      }),
      async loadExistingGrant({ oidc }: { oidc: Asking }) {
        const { accountId } = oidc.session;
        const grant = new provider.Grant({ accountId, clientId: oidc.client.clientId });
        grant.addOIDCScope('openid email');
        await grant.save();
        return grant;
      },
    });
    const callback = provider.callback();
    server.on('request', (request, response) => {
      if (made.answer(request, response)) return;
      if (!request.url?.startsWith('/interaction/')) callback(request, response);
      else void provider.interactionFinished(request, response, made.#decided());
    });
    return made;
  }

  reset(): void {
    this.who = DANA;
    this.answer = () => false;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #decided() {
    if (this.who !== undefined) return { login: { accountId: this.who.sub } };
    return { error: 'access_denied', error_description: 'the person <b>thought</b> better of it' };
  }
}

interface Asking {
  readonly session: { readonly accountId: string };
  readonly client: { readonly clientId: string };
}

type Payload = Record<string, unknown> & { grantId?: string; uid?: string };

/** What oidc-provider keeps, of all providers of a test. */
const kept = new Map<string, Payload>();

class Kept {
  readonly #kind: string;

  constructor(kind: string) {
    this.#kind = kind;
  }

  async upsert(id: string, payload: Payload): Promise<void> {
    kept.set(`${this.#kind} ${id}`, payload);
  }

  async find(id: string): Promise<Payload | undefined> {
    return kept.get(`${this.#kind} ${id}`);
  }

  async findByUid(uid: string): Promise<Payload | undefined> {
    return [...kept.values()].find((payload) => payload.uid === uid);
  }

  async consume(id: string): Promise<void> {
    kept.get(`${this.#kind} ${id}`)!.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id: string): Promise<void> {
    kept.delete(`${this.#kind} ${id}`);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [key, payload] of kept) if (payload.grantId === grantId) kept.delete(key);
  }
}
