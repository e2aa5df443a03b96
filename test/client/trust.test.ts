import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryPins } from '../../src/client/pins.ts';
import { introduce, pinOf, trust } from '../../src/client/trust.ts';
import { parseDigest } from '../../src/core/digest.ts';
import { parseOrigin } from '../../src/core/log/checkpoint.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { makeReader, pinnedReader } from '../made/reader.ts';
import { ServedRegistry } from '../made/served-registry.ts';

const OTHER = parseDigest(`sha256:${'0'.repeat(64)}`);
let served: ServedRegistry;

beforeEach(async () => {
  served = await ServedRegistry.start();
});
afterEach(() => served.close());

const readRoot = async (version: number) => served.roots[version - 1];

describe('trust', () => {
  test('rests on the fingerprint that was compared, and on nothing else', async () => {
    const pins = new MemoryPins();
    const met = await introduce(nodeHost, pins, readRoot);
    await expect(trust(pins, met, OTHER, served.url)).rejects.toThrowWithCode('untrusted');
    expect(await pins.pins()).toEqual([]);
    await trust(pins, met, met.fingerprint, served.url);
    expect(await pins.pins()).toEqual([
      { origin: met.origin, fingerprint: met.fingerprint, urls: [served.url] },
    ]);
  });

  test('a registry cannot be exchanged for another of the same origin', async () => {
    const { pins } = await pinnedReader(served);
    const other = await ServedRegistry.start();
    const met = await introduce(nodeHost, pins, async (version) => other.roots[version - 1]);
    await other.close();
    await expect(trust(pins, met, met.fingerprint, served.url)).rejects.toThrowWithCode(
      'untrusted',
    );
  });

  test('a mirror shares the pin of its registry', async () => {
    const { pins } = await pinnedReader(served);
    const mirror = await ServedRegistry.start(served.made);
    const { api } = makeReader(mirror, pins);
    expect((await pinOf(api, pins)).origin).toBe(served.made.root.origin);
    await mirror.close();
  });

  test('an address that was named must stay the registry that it was', async () => {
    const { pins, api } = await pinnedReader(served);
    served.tamper = (path, bytes) =>
      path.endsWith('config.json')
        ? new TextEncoder().encode(
            new TextDecoder().decode(bytes).replaceAll(served.made.root.origin, 'other.example'),
          )
        : bytes;
    await pins.savePin({ origin: parseOrigin('other.example'), fingerprint: OTHER, urls: [] });
    expect((await pinOf(api, pins)).origin).toBe(served.made.root.origin);
  });

  test('an address belongs to the registry that was pinned with it last', async () => {
    const { pins, api } = await pinnedReader(served);
    const origin = parseOrigin('earlier.example');
    await pins.savePin({ origin, fingerprint: OTHER, urls: [served.url] });
    const met = await introduce(nodeHost, pins, readRoot);
    await trust(pins, met, met.fingerprint, served.url);
    expect((await pins.pin(origin))?.urls).toEqual([]);
    expect((await pinOf(api, pins)).origin).toBe(met.origin);
  });

  test('there is nothing to trust where there is no root', async () => {
    const nothing = introduce(nodeHost, new MemoryPins(), async () => undefined);
    await expect(nothing).rejects.toThrowWithCode('not-found');
  });
});
