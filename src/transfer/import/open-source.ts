/** From the address that a person gave to the files that lie there. */
import { parseRegistryUrl } from '../../client/http.ts';
import type { Pauses } from '../../client/retry.ts';
import type { Selection } from '../glob.ts';
import type { HubAddress, OciAddress } from './address.ts';
import { openHub } from './hub.ts';
import { openOci } from './oci.ts';
import { anonymousTokens } from './oci-token.ts';
import { Remote } from './remote.ts';
import type { Snapshot } from './snapshot.ts';

export interface SourceOptions extends Selection {
  /** Where the hub's API is. */
  readonly endpoint: string;
  /** Bearer token for the host of the source. */
  readonly token?: string | undefined;
  /** Speak http with an OCI registry that is not on this machine. */
  readonly plainHttp?: boolean;
  readonly pauses?: Pauses;
  readonly signal?: AbortSignal | undefined;
}

/** Pins the revision, and lists what is there. Throws as `Remote`, and `bad-document`, `bad-path`, `usage`. */
export async function openSource(
  address: HubAddress | OciAddress,
  options: SourceOptions,
): Promise<Snapshot> {
  const { token, pauses, signal } = options;
  if (address.kind === 'hub') {
    const endpoint = parseRegistryUrl(options.endpoint);
    const { origin } = new URL(endpoint);
    return openHub(new Remote({ origin, token, pauses, signal }), endpoint, address, options);
  }
  const registry = registryAt(address.host, options.plainHttp);
  const introduce = anonymousTokens(registry, address.repository, { pauses, signal });
  const remote = new Remote({
    origin: new URL(registry).origin,
    pauses,
    signal,
    ...(token === undefined ? { introduce } : { token }),
  });
  return openOci(remote, registry, address, options);
}

/** On this machine registries are tried out without certificates; other OCI clients know that, too. */
const LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]+)?$/;

/** The address of an OCI registry: https, but for this machine and where the person wants otherwise. */
export function registryAt(host: string, plainHttp = false): string {
  return `${plainHttp || LOOPBACK.test(host) ? 'http' : 'https'}://${host}`;
}
