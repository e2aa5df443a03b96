/** A whole server over a directory, as `serve` starts it, without anything that can be left out. */
import { type Serving, serve } from '../../src/main.ts';
import { parseTrustedProxies } from '../../src/server/trusted-proxies.ts';
import { openDirectory } from '../../src/store/directory.ts';

/** Where it keeps what: folders, all of them. */
export interface PlainPlaces {
  readonly store: string;
  readonly keys: string;
  readonly index: string;
}

export async function servePlainly({ store, keys, index }: PlainPlaces): Promise<Serving> {
  return serve({
    store: await openDirectory(store),
    keysDirectory: keys,
    passphrase: undefined,
    address: { host: '127.0.0.1', port: 0 },
    publicUrl: undefined,
    indexDirectory: index,
    logLevel: 'silent',
    witnessPolicy: undefined,
    oidcIssuers: undefined,
    oidcAllowLoopback: false,
    trustedProxies: parseTrustedProxies([], 'none'),
    drainDelay: 0,
  });
}
