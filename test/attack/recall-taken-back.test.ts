/**
 * A registry that was made to log a recall shows, to somebody who has seen it already, how its
 * log was before: not an hour old, and rightly signed.
 */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Api } from '../../src/client/api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { MemoryPins } from '../../src/client/pins.ts';
import { resolveRelease } from '../../src/client/release.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { NO_PAUSES, pinnedReader } from '../made/reader.ts';
import { ServedRegistry } from '../made/served-registry.ts';

const TINY = parseReference('acme/tiny@v1');

let served: ServedRegistry;

beforeEach(async () => {
  served = await ServedRegistry.start();
  served.publish('acme/tiny@v1', { 'config.json': utf8('{}') });
});
afterEach(() => served.close());

/** Answers whatever was asked before as it was answered then. */
function remembering(): Api {
  const answers = new Map<string, Response>();
  return new Api({
    url: parseRegistryUrl(served.url),
    pauses: NO_PAUSES,
    fetch: async (input, init) => {
      const address = String(input);
      if (!answers.has(address)) answers.set(address, await fetch(address, init));
      return answers.get(address)!.clone();
    },
  });
}

test('a recall that was seen cannot be taken back', async () => {
  const api = remembering();
  const stranger = { ...(await pinnedReader(served, new MemoryPins())), api };
  await resolveRelease(stranger, TINY);
  served.made.advise('acme/tiny@v1', 'recalled', 'Leaks its training data.');
  served.heads();

  const reader = await pinnedReader(served);
  await expect(resolveRelease(reader, TINY)).rejects.toThrowWithCode('recalled');
  const again = resolveRelease({ ...reader, api }, TINY);
  await expect(again).rejects.toThrowWithCode('rolled-back');
  // Whoever has not seen the recall cannot tell, for as long as such heads count as fresh.
  await resolveRelease(stranger, TINY);
});
