/**
 * A token that an OCI registry gives to anybody (distribution, "Token Authentication"): the
 * registry answers 401 and names its token service, which is asked without any credentials.
 *
 *     WWW-Authenticate: Bearer realm="https://auth.example/token",service="registry.example"
 *     GET https://auth.example/token?service=registry.example&scope=repository:acme/tiny:pull
 */
import * as v from 'valibot';
import { isCoded } from '../../core/error.ts';
import { type Introduce, Remote, type RemoteOptions } from './remote.ts';

/** Bytes of the token service's answer. */
const MAX_TOKEN_BYTES = 64 * 1024;
const PARAMETER = /([a-z]+)="([^"]{0,2048})"/g;

const token = v.optional(v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/, 'must be a token')));
const answerShape = v.object({ token, access_token: token });

/** Asks the services that `registry` names for a token to pull from `repository`. */
export function anonymousTokens(
  registry: string,
  repository: string,
  options: Omit<RemoteOptions, 'origin'>,
): Introduce {
  return async (challenge) => {
    const realm = realmOf(challenge, registry);
    if (realm === undefined) return undefined;
    realm.searchParams.set('scope', `repository:${repository}:pull`);
    const remote = new Remote({ ...options, origin: realm.origin });
    try {
      const request = { maxBytes: MAX_TOKEN_BYTES };
      const { value } = await remote.json(answerShape, realm.href, request);
      return value.token ?? value.access_token;
    } catch (error) {
      // Who gets no token there is told what the registry said: that it takes one.
      if (isCoded(error, 'not-authorised') || isCoded(error, 'not-found')) return undefined;
      throw error;
    }
  };
}

/** The token service with its `service`; none that would be asked over http where the registry is not. */
function realmOf(challenge: string, registry: string): URL | undefined {
  if (!/^Bearer /i.test(challenge)) return undefined;
  const parameters = new Map(
    [...challenge.matchAll(PARAMETER)].map(([, key, value]) => [key, value]),
  );
  const realm = parameters.get('realm') ?? '';
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const isPlain = url?.protocol === 'http:' && registry.startsWith('http:');
  if (url === undefined || (url.protocol !== 'https:' && !isPlain)) return undefined;
  const service = parameters.get('service');
  if (service !== undefined) url.searchParams.set('service', service);
  return url;
}
