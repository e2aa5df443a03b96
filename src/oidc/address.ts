/**
 * Where this server may be sent for a key. A server inside a network reaches what strangers
 * do not: a cloud's metadata service, an administration page, its own store. So an address is
 * https; its name is resolved here, once; every one of its addresses must be public; and the
 * connection goes to the address that was judged, not to a name that is resolved again
 * (Fulcio CVE-2026-22772, Rekor CVE-2026-24117).
 */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { CodedError } from '../core/error.ts';

/** How the world outside is reached; tests bring another one. */
export interface Network {
  /** Every address of a host name. */
  resolve(host: string): Promise<readonly string[]>;
  /** Lets issuers be on this machine, over plain http. For tests alone. */
  readonly allowLoopback: boolean;
  /** Milliseconds for all of one document, from the name to the last byte. */
  readonly timeout: number;
}

export const internet: Network = {
  resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  allowLoopback: false,
  timeout: 5_000,
};

/** IANA's special-purpose registry, and multicast: everything in IPv4 that is not a public host. */
const SPECIAL_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];
/** In IPv6 only 2000::/3 is public, and of that not these; mapped, translated and tunnelled IPv4 is out. */
const PUBLIC_V6 = ['2000::/3'];
const SPECIAL_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const specialV4 = blocks('ipv4', SPECIAL_V4);
const publicV6 = blocks('ipv6', PUBLIC_V6);
const specialV6 = blocks('ipv6', SPECIAL_V6);
const loopback = blocks('ipv4', ['127.0.0.0/8']);
loopback.addAddress('::1', 'ipv6');

function blocks(family: 'ipv4' | 'ipv6', subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address, bits] = subnet.split('/');
    list.addSubnet(address!, Number(bits), family);
  }
  return list;
}

/** True for an address that anybody could reach. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !specialV4.check(address, 'ipv4');
  return family === 6 && publicV6.check(address, 'ipv6') && !specialV6.check(address, 'ipv6');
}

/** The URL of a document to be fetched: https, and http on the loopback where tests allow it. Throws `bad-document`. */
export function parseFetchUrl(text: string, allowLoopback: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url !== undefined && url.username === '' && url.password === '';
  if (plain && url.protocol === 'https:') return url;
  if (plain && url.protocol === 'http:' && allowLoopback) return url;
  throw new CodedError('bad-document', `"${text.slice(0, 200)}" is no https address`);
}

/** The address to connect to for `url`. Throws `untrusted` unless all that it resolves to is allowed. */
export async function pinAddress(url: URL, network: Network): Promise<string> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) === 0 ? await network.resolve(host) : [host];
  const mayBeLoopback = network.allowLoopback;
  for (const address of addresses) {
    if (isLoopback(address) ? mayBeLoopback : isPublicAddress(address)) continue;
    throw new CodedError(
      'untrusted',
      `${url.host} is not a public address: nothing is asked there`,
    );
  }
  const [first] = addresses;
  if (first === undefined) throw new CodedError('network', `${url.host} has no address`);
  // Without TLS nothing says who answers; on this machine nobody else can.
  if (url.protocol === 'https:' || isLoopback(first)) return first;
  throw new CodedError('untrusted', `${url.host} is asked over https or not at all`);
}

function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
