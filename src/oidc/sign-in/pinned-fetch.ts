/**
 * `fetch`, as far as openid-client needs it, which goes where `address.ts` allows and nowhere
 * else: what a provider's metadata says is as little to be trusted as what a token says.
 */
import type { CustomFetch } from 'openid-client';
import { type Network, parseFetchUrl } from '../address.ts';
import { ask } from '../pinned.ts';

/** Statuses whose answer has no body (Fetch, section 2.2.3). */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

export function pinnedFetch(network: Network): CustomFetch {
  return async (address, { method, headers, body }) => {
    const url = parseFetchUrl(address, network.allowLoopback);
    const answer = await ask(url, network, {
      method: method === 'POST' ? 'POST' : 'GET',
      headers,
      body: body === undefined || body === null ? undefined : String(body),
    });
    return new Response(BODILESS.has(answer.status) ? null : Buffer.from(answer.body), {
      status: answer.status,
      headers: answer.type === undefined ? {} : { 'content-type': answer.type },
    });
  };
}
