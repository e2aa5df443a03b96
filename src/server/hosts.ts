/**
 * Which `Host` a server answers to. A page in somebody's browser can have its own name point
 * at 127.0.0.1 and then read what a server on this machine shows (DNS rebinding,
 * CVE-2024-28224). So a server that listens on a loopback address answers to names of the
 * loopback and to its public name, and to nothing else. One that listens to the world has
 * nothing to lose: it shows the same to everybody.
 */
import type { RequestHandler } from 'express';
import { StatusError } from './problem.ts';

const LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])$/;

/** The host names to answer to; undefined for all. Both arguments are URLs: as bound, as clients know it. */
export function allowedHosts(bound: string, publicUrl: string | undefined): Hosts | undefined {
  if (!LOOPBACK.test(new URL(bound).hostname)) return undefined;
  return new Set(publicUrl === undefined ? [] : [new URL(publicUrl).hostname]);
}

/** Names beside those of the loopback. */
export type Hosts = ReadonlySet<string>;

/** Refuses requests for other hosts with 421 (RFC 9110, section 15.5.20). */
export function refuseForeignHosts(hosts: Hosts | undefined): RequestHandler {
  return (request, _response, next) => {
    if (!isAnswered(hosts, request.get('host'))) {
      const message = 'this server does not answer to that host; name it with --public-url';
      throw new StatusError(421, 'untrusted', message);
    }
    next();
  };
}

/** Is a request with this `Host` answered to? */
export function isAnswered(hosts: Hosts | undefined, host: string | undefined): boolean {
  if (hosts === undefined) return true;
  // Without its port; what is no host name at all is not ours either.
  const url = `http://${host ?? ''}`;
  const name = URL.canParse(url) ? new URL(url).hostname : '';
  return LOOPBACK.test(name) || hosts.has(name);
}
