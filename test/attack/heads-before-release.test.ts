/**
 * Heads from before a release know nothing of it: whoever shows both keeps back every advisory
 * on the release for as long as such heads count as fresh.
 */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Reader, resolveRelease } from '../../src/client/release.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { pinnedReader } from '../made/reader.ts';
import { ServedRegistry } from '../made/served-registry.ts';

const ASKED = parseReference('acme/tiny@v2');

let served: ServedRegistry;
let reader: Reader;

beforeEach(async () => {
  served = await ServedRegistry.start();
  served.publish('acme/tiny@v1', { 'config.json': utf8('{}') });
  reader = await pinnedReader(served);
});
afterEach(() => served.close());

/** What the registry says of the namespace now. */
async function headNow(): Promise<Uint8Array> {
  const response = await fetch(`${served.url}/api/v1/namespaces/acme/head`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Publishes v2; the next `times` answers about the namespace are from before. */
async function publishBehind(times: number): Promise<void> {
  const before = await headNow();
  served.publish('acme/tiny@v2', { 'config.json': utf8('{"v":2}') });
  let left = times;
  served.tamper = (path, bytes) => (path.endsWith('/head') && left-- > 0 ? before : bytes);
}

test('a release is not believed while the heads that are shown do not know it', async () => {
  await publishBehind(Number.POSITIVE_INFINITY);
  served.made.advise('acme/tiny@v2', 'recalled');
  served.heads();
  await expect(resolveRelease(reader, ASKED)).rejects.toThrowWithCode('stale');
});

test('a release of a model that the heads do not know at all is not believed either', async () => {
  const before = await headNow();
  served.publish('acme/other@v1', { 'config.json': utf8('{}') });
  served.tamper = (path, bytes) => (path.endsWith('/head') ? before : bytes);
  const asked = parseReference('acme/other@v1');
  await expect(resolveRelease(reader, asked)).rejects.toThrowWithCode('stale');
});

test('a release that is published while somebody asks for it is found by a second look', async () => {
  await publishBehind(1);
  const { verified, superseded } = await resolveRelease(reader, ASKED);
  expect(verified.release.version).toBe('v2');
  expect(superseded).toBe(false);
});

test('a recall that is published together with it is found by that look, too', async () => {
  await publishBehind(1);
  served.made.advise('acme/tiny@v2', 'recalled');
  served.heads();
  await expect(resolveRelease(reader, ASKED)).rejects.toThrowWithCode('recalled');
});
