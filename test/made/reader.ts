/** A client of a served registry: pins in memory, the registry's own clock, no waiting. */
import { Api } from '../../src/client/api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { MemoryPins, type PinStore } from '../../src/client/pins.ts';
import type { Reader } from '../../src/client/release.ts';
import type { Pauses } from '../../src/client/retry.ts';
import { introduce, trust } from '../../src/client/trust.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import type { ServedRegistry } from './served-registry.ts';

/** Waits for nothing. */
export const NO_PAUSES: Pauses = { sleep: async () => {}, random: () => 0 };

/** A client that has pinned the registry. */
export async function pinnedReader(
  served: ServedRegistry,
  pins: PinStore = new MemoryPins(),
): Promise<Reader> {
  const reader = makeReader(served, pins);
  const first = await introduce(nodeHost, pins, async (version) => served.roots[version - 1]);
  await trust(pins, first, first.fingerprint, served.url);
  return reader;
}

/** A client that trusts nobody yet, unless `pins` say so. */
export function makeReader(served: ServedRegistry, pins: PinStore): Reader {
  const api = new Api({ url: parseRegistryUrl(served.url), pauses: NO_PAUSES });
  return { host: nodeHost, api, pins, clock: () => served.made.now };
}
