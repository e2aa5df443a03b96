import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryPins } from '../../src/client/pins.ts';
import { introduce, newestRoot, pinOf, type ReadRoot, trust } from '../../src/client/trust.ts';
import { parseDigest } from '../../src/core/digest.ts';
import { parseOrigin } from '../../src/core/log/checkpoint.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { makeKey } from '../made/p256.ts';
import { makeReader, pinnedReader } from '../made/reader.ts';
import { ServedRegistry } from '../made/served-registry.ts';
import { makeRootDocument, signRoot } from '../made/trust-root.ts';

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

describe('the newest root', () => {
  /** A client that has pinned the registry and has seen its first `seen` versions. */
  async function follower(seen = 1) {
    const { pins } = await pinnedReader(served);
    const pin = (await pins.pins())[0]!;
    const follow = (read: ReadRoot, now?: number) => newestRoot(nodeHost, pins, pin, read, now);
    await follow(async (version) => (version <= seen ? served.roots[version - 1] : undefined));
    return { pins, follow, versions: async () => (await pins.roots(pin.origin)).length };
  }

  test('is reached over every version, and each of them is kept', async () => {
    for (let i = 0; i < 3; i++) served.addRoot();
    const { follow, versions } = await follower();
    const { root, roots } = await follow(readRoot);
    expect(root.version).toBe(4);
    expect(roots).toEqual(served.roots);
    expect(await versions()).toBe(4);
  });

  test('is none that comes after a gap', async () => {
    for (let i = 0; i < 3; i++) served.addRoot();
    const { follow, versions } = await follower();
    const jumping = follow(async (version) => served.roots[version]);
    await expect(jumping).rejects.toThrowWithCode('untrusted');
    const { root } = await follow(async (version) =>
      version === 2 ? undefined : served.roots[version - 1],
    );
    expect([root.version, await versions()]).toEqual([1, 1]);
  });

  test('is not rolled back by a registry that shows an older one', async () => {
    for (let i = 0; i < 2; i++) served.addRoot();
    const { follow } = await follower(3);
    const { root } = await follow(async (version) => (version === 1 ? served.roots[0] : undefined));
    expect(root.version).toBe(3);
    // Nor by one that shows an old version under the next one's name.
    const again = follow(async () => served.roots[1]);
    await expect(again).rejects.toThrowWithCode('untrusted');
  });

  test('is none that the keys before did not sign, and nothing of it is kept', async () => {
    const stranger = makeKey();
    const document = makeRootDocument([stranger], { version: 2 });
    served.roots.push(signRoot(document, [stranger]));
    const { follow, versions } = await follower();
    await expect(follow(readRoot)).rejects.toThrowWithCode('untrusted');
    expect(await versions()).toBe(1);
  });

  test('is none that too few of its own keys signed, and nothing of it is kept', async () => {
    served.addRoot({ keys: [served.rootKey.spki, makeKey().spki], threshold: 2 });
    const { follow, versions } = await follower();
    await expect(follow(readRoot)).rejects.toThrowWithCode('untrusted');
    expect(await versions()).toBe(1);
  });

  test('may have expired on the way, but not where it is believed', async () => {
    const expires = '2026-02-01T00:00:00.000Z';
    served.addRoot({ expires });
    served.addRoot({ expires: '2028-01-01T00:00:00.000Z' });
    const { follow } = await follower();
    const now = Date.parse('2027-06-01T00:00:00.000Z');
    const upTo2: ReadRoot = async (version) => (version === 3 ? undefined : readRoot(version));
    await expect(follow(upTo2, now)).rejects.toThrowWithCode('stale');
    expect((await follow(readRoot, now)).root.version).toBe(3);
  });
});
