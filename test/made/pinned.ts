/** A client that has pinned a served registry, for a file of tests. */
import { afterEach, beforeEach } from '@jest/globals';
import type { Reader } from '../../src/client/release.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { pinnedReader } from './reader.ts';
import { ServedRegistry } from './served-registry.ts';

/** Before each test, a registry that has released acme/tiny@v1, and a client that pinned it. */
export function usePinned(): () => { readonly served: ServedRegistry; readonly reader: Reader } {
  let served: ServedRegistry;
  let reader: Reader;
  beforeEach(async () => {
    served = await ServedRegistry.start();
    served.publish('acme/tiny@v1', { 'config.json': utf8('{}') });
    reader = await pinnedReader(served);
  });
  afterEach(() => served.close());
  return () => ({ served, reader });
}
