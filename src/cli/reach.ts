/** How a command reaches a registry, and whom it believes. */
import { randomBytes } from 'node:crypto';
import { Api } from '../client/api.ts';
import { parseRegistryUrl, type RegistryUrl } from '../client/http.ts';
import type { Reader } from '../client/release.ts';
import { CodedError } from '../core/error.ts';
import { nodeHost } from '../hashing/host.ts';
import { type Nonces, noncesIn } from '../transfer/nonces.ts';
import { type Context, places } from './context.ts';
import { keptToken } from './kept-tokens.ts';
import { openPins } from './pins.ts';

/** The registry that the person means. Throws `usage` when none can be meant. */
export async function openApi(context: Context): Promise<Api> {
  const api = await openApiIfAny(context);
  if (api !== undefined) return api;
  throw new CodedError('usage', 'which registry? give its address with --url or WEIGHHOUSE_URL');
}

/** As `openApi`, for what can do without; undefined when none can be meant. */
export async function openApiIfAny(context: Context): Promise<Api | undefined> {
  const url = await registryUrl(context);
  return url && apiAt(context, url);
}

/** The registry at that address, with the token that was given, or that `login` got there. */
export async function apiAt(context: Context, url: RegistryUrl): Promise<Api> {
  return new Api({ url, token: context.config.token ?? (await keptToken(context, url)) });
}

/** As `openApi`, for what takes a token. Throws `not-authorised` without one, before anything is sent. */
export async function openApiWithToken(context: Context): Promise<Api> {
  const api = await openApiIfAny(context);
  if ((api?.http.token ?? context.config.token) === undefined) {
    throw new CodedError(
      'not-authorised',
      'this takes a token: run "weighhouse login", or give one with --token or WEIGHHOUSE_TOKEN',
    );
  }
  return api ?? openApi(context);
}

/** The registry, and what it takes to believe it. `api` where its address is known otherwise. */
export async function openReader(context: Context, api?: Api): Promise<Reader> {
  return {
    host: nodeHost,
    api: api ?? (await openApi(context)),
    pins: openPins(context),
    clock: context.clock,
  };
}

/** The nonces of this person's pushes. */
export function openNonces({ config }: Context): Nonces {
  return noncesIn(places.nonces(config), () => randomBytes(32).toString('hex'));
}

/** `--url`, or the one registry that is pinned: whoever trusts just one means that. */
async function registryUrl(context: Context): Promise<RegistryUrl | undefined> {
  if (context.config.url !== undefined) return parseRegistryUrl(context.config.url);
  const pins = await openPins(context).pins();
  const url = pins.length === 1 ? pins[0]?.urls[0] : undefined;
  return url === undefined ? undefined : parseRegistryUrl(url);
}
