/**
 * Which addresses are load balancers of our own. What a request says in `X-Forwarded-For` and
 * `X-Forwarded-Proto` is believed when it comes from one of these, and of the addresses in it
 * the last that is none of them is the client's. From anybody else the headers say nothing:
 * a client would write whatever helps it into them.
 */
import { BlockList, isIP } from 'node:net';
import { CodedError } from '../core/error.ts';

/** Answers whether an address, as a socket tells it, is one of ours (Express's `trust proxy`). */
export type TrustedProxies = (address: string) => boolean;

/** Trusts nobody. */
export const noProxies: TrustedProxies = () => false;

/** Parses addresses and networks: `127.0.0.1`, `10.0.0.0/8`, `fd00::/8`. Throws `usage`; `option` names them. */
export function parseTrustedProxies(texts: readonly string[], option: string): TrustedProxies {
  const trusted = new BlockList();
  for (const text of texts) add(trusted, text, option);
  return (address) => {
    const family = isIP(address);
    // An IPv4 address that came to an IPv6 socket, `::ffff:10.0.0.1`, is found among IPv4 networks.
    return family !== 0 && trusted.check(address, family === 4 ? 'ipv4' : 'ipv6');
  };
}

function add(trusted: BlockList, text: string, option: string): void {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  const length = bits === undefined ? longest : /^[0-9]{1,3}$/.test(bits) ? Number(bits) : -1;
  if (family === 0 || length < 0 || length > longest || more.length > 0) {
    throw new CodedError(
      'usage',
      `${option} takes addresses and networks like 10.1.2.3 or 10.0.0.0/8, not "${text.slice(0, 80)}"`,
    );
  }
  trusted.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6');
}
