import { expect, test } from '@jest/globals';
import { Api } from '../../src/client/api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
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
