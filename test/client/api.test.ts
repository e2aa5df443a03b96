import { expect, test } from '@jest/globals';
import { Api } from '../../src/client/api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { formatTilePath } from '../../src/core/log/tile.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { INVENTORY_LIMITS } from '../../src/core/weights/inventory.ts';
import { NO_PAUSES } from '../made/reader.ts';

const RELEASE = parseReleaseName('acme/tiny@v1');

/** The client of a server that answers everything with so many bytes. */
function apiOf(length: number): Api {
  const fetch = async () => new Response(new Uint8Array(length));
  return new Api({ url: parseRegistryUrl('http://registry.example'), pauses: NO_PAUSES, fetch });
}

test('the largest inventory that a registry seals is read, and not a byte more', async () => {
  const { maxBytes } = INVENTORY_LIMITS;
  expect(await apiOf(maxBytes).document(RELEASE, 'tensors.json')).toHaveLength(maxBytes);
  const longer = apiOf(maxBytes + 1).document(RELEASE, 'tensors.json');
  await expect(longer).rejects.toThrowWithCode('too-large');
});

test('a tile that the server calls damaged is a failure of the log, and not of content', async () => {
  const problem = { code: 'damaged', detail: 'tile/entries/000.p/5 is not what was signed' };
  const headers = { 'content-type': 'application/problem+json' };
  const fetch = async () => new Response(JSON.stringify(problem), { status: 503, headers });
  const api = new Api({
    url: parseRegistryUrl('http://registry.example'),
    pauses: NO_PAUSES,
    fetch,
  });
  const path = formatTilePath({ level: 'entries', index: 0, width: 5 });
  await expect(api.tile(path)).rejects.toThrowWithCode('bad-tile');
});
