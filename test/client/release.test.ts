import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryPins } from '../../src/client/pins.ts';
import type { Reader } from '../../src/client/release.ts';
import { resolveRelease } from '../../src/client/release.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { makeKey } from '../made/p256.ts';
import { makeReader, pinnedReader } from '../made/reader.ts';
import { MadeRegistry } from '../made/registry.ts';
import { ServedRegistry } from '../made/served-registry.ts';
import { makeRootDocument, signRoot } from '../made/trust-root.ts';

const FILES = { 'config.json': utf8('{}'), 'weights/w.bin': utf8('weights') };
const NEWEST = parseReference('acme/tiny');
const FIRST = parseReference('acme/tiny@v1');

let served: ServedRegistry;
let reader: Reader;

beforeEach(async () => {
  served = await ServedRegistry.start();
  served.publish('acme/tiny@v1', FILES);
  reader = await pinnedReader(served);
});
afterEach(() => served.close());

describe('an honest registry', () => {
  test('gives the newest release, by the log’s own word', async () => {
    served.publish('acme/tiny@v2', { 'config.json': utf8('{"v":2}') });
    const { verified, superseded } = await resolveRelease(reader, NEWEST);
    expect(verified.release.version).toBe('v2');
    expect(superseded).toBe(false);
  });

  test('gives a version, and says when there is a newer one', async () => {
    served.publish('acme/tiny@v2', { 'config.json': utf8('{"v":2}') });
    const { verified, superseded } = await resolveRelease(reader, FIRST);
    expect(verified.release.version).toBe('v1');
    expect(superseded).toBe(true);
  });

  test('gives the release that has a digest', async () => {
    const { digest } = (await resolveRelease(reader, FIRST)).verified;
    const asked = parseReference(`acme/tiny@${digest}`);
    expect((await resolveRelease(reader, asked)).verified.digest).toBe(digest);
  });

  test.each(['other', 'constructor'])(
    'says that %s, a model without a release, is not found',
    async (name) => {
      const asked = parseReference(`acme/${name}`);
      await expect(resolveRelease(reader, asked)).rejects.toThrowWithCode('not-found');
    },
  );

  test('may grow: what was seen is remembered and begun with', async () => {
    await resolveRelease(reader, NEWEST);
    served.publish('acme/tiny@v2', FILES);
    await resolveRelease(reader, NEWEST);
    const seen = await reader.pins.seen(served.made.root.origin);
    expect(seen?.checkpoint).toEqual(served.made.checkpoint());
  });
});

describe('a registry that is not trusted', () => {
  test('is refused when it is not pinned', async () => {
    const stranger = makeReader(served, new MemoryPins());
    await expect(resolveRelease(stranger, NEWEST)).rejects.toThrowWithCode('untrusted');
  });

  test('is refused when its root has expired', async () => {
    const late = { ...reader, clock: () => Date.parse('2027-02-01T00:00:00.000Z') };
    await expect(resolveRelease(late, NEWEST)).rejects.toThrowWithCode('stale');
  });

  test('a new root is saved before anything rests on it, and an expired one is walked past', async () => {
    served.addRoot({ maxAge: 7200 });
    await resolveRelease(reader, NEWEST);
    expect(await reader.pins.roots(served.made.root.origin)).toEqual(served.roots);
  });

  test('a root that strangers signed is refused', async () => {
    const release = [{ spki: served.made.releaseKey.spki, from: 0 }];
    const stranger = makeKey();
    const next = makeRootDocument([stranger], { version: 2, release });
    served.roots.push(signRoot(next, [stranger]));
    await expect(resolveRelease(reader, NEWEST)).rejects.toThrowWithCode('untrusted');
    expect(await reader.pins.roots(served.made.root.origin)).toHaveLength(1);
  });
});

describe('a log that lies', () => {
  /** What a client that saw `before` says of this other registry with the same keys. */
  async function afterwards(build: (made: MadeRegistry) => void): Promise<unknown> {
    await resolveRelease(reader, NEWEST);
    const lying = Object.assign(new MadeRegistry(), {
      owner: served.made.owner,
      releaseKey: served.made.releaseKey,
    });
    build(lying);
    const other = await ServedRegistry.start(lying);
    other.roots.splice(0, 1, ...served.roots);
    other.publish('acme/tiny@v1', FILES);
    const { api } = makeReader(other, reader.pins);
    try {
      return await resolveRelease({ ...reader, api, clock: () => other.made.now }, NEWEST).catch(
        (error: unknown) => error,
      );
    } finally {
      await other.close();
    }
  }

  test('is refused as rolled back when it is smaller than what was seen', async () => {
    for (let i = 0; i < 8; i++) served.heads();
    expect(await afterwards((made) => made.namespace('acme'))).toMatchObject({
      code: 'rolled-back',
    });
  });

  test('is refused as a fork, with both checkpoints, when it does not begin with what was seen', async () => {
    const error = await afterwards((made) => {
      made.namespace('acme');
      for (let i = 0; i < 8; i++) made.heads();
    });
    expect(error).toMatchObject({ code: 'fork' });
    const { checkpoints } = (error as { details: { checkpoints: string[] } }).details;
    expect(checkpoints).toHaveLength(2);
    expect(checkpoints[0]).toContain(served.made.root.origin);
  });

  test('nothing is remembered of a log that was refused', async () => {
    await resolveRelease(reader, NEWEST);
    const before = await reader.pins.seen(served.made.root.origin);
    served.heads();
    served.tamper = (path, bytes) => (path.endsWith('/entry') ? flipped(bytes) : bytes);
    await expect(resolveRelease(reader, NEWEST)).rejects.toThrow();
    expect(await reader.pins.seen(served.made.root.origin)).toEqual(before);
  });

  test('is refused as stale when it is frozen', async () => {
    const later = { ...reader, clock: () => served.made.now + 3_600_001 };
    await expect(resolveRelease(later, NEWEST)).rejects.toThrowWithCode('stale');
  });
});

describe('documents that were changed', () => {
  const NAMES = [
    'manifest.json',
    'model.sig',
    'release.dsse',
    'entry',
    'release.tlog-proof',
    'model-sig.tlog-proof',
    'checkpoint',
    'head',
  ];
  test.each(NAMES)('one changed byte anywhere in %s is refused', async (name) => {
    for (const place of [0.1, 0.3, 0.5, 0.7, 0.9]) {
      served.tamper = (path, bytes) => (path.endsWith(`/${name}`) ? flipped(bytes, place) : bytes);
      await expect(resolveRelease(reader, NEWEST)).rejects.toThrow();
    }
  });

  test('another version served for the one that was asked for is refused', async () => {
    served.publish('acme/tiny@v2', { 'config.json': utf8('{"v":2}') });
    const other = served.made.documents('acme/tiny@v2');
    const names: Record<string, Uint8Array> = {
      'manifest.json': other.manifest,
      'model.sig': other.modelSig,
      'release.dsse': other.releaseDsse,
      entry: other.entry,
      'release.tlog-proof': other.releaseProof,
      'model-sig.tlog-proof': other.recordProof,
    };
    served.tamper = (path, bytes) => names[path.split('/v1/').at(-1)!] ?? bytes;
    await expect(resolveRelease(reader, FIRST)).rejects.toThrowWithCode('untrusted');
  });
});

describe('advisories', () => {
  test('a recalled release is refused, unless that is accepted', async () => {
    served.made.advise('acme/tiny@v1', 'recalled', 'Leaks its training data.');
    served.heads();
    await expect(resolveRelease(reader, FIRST)).rejects.toThrowWithCode('recalled');
    const { advisories } = await resolveRelease(reader, FIRST, { acceptRecalled: true });
    expect(advisories.map(({ entry }) => entry.advisory)).toEqual(['recalled']);
  });

  test('a warning is passed on', async () => {
    served.made.advise('acme/tiny@v1', 'security', 'Prompt injection.');
    served.heads();
    const { advisories } = await resolveRelease(reader, FIRST);
    expect(advisories[0]?.entry.summary).toBe('Prompt injection.');
  });

  test('an advisory that is kept back is missed', async () => {
    served.made.advise('acme/tiny@v1', 'recalled');
    served.heads();
    served.tamper = (path, bytes) => {
      if (!path.endsWith('/head')) return bytes;
      const answer = JSON.parse(new TextDecoder().decode(bytes));
      return utf8(JSON.stringify({ ...answer, advisories: [] }));
    };
    await expect(resolveRelease(reader, FIRST)).rejects.toThrowWithCode('untrusted');
  });
});

/** The bytes with one bit changed, some way in. */
function flipped(bytes: Uint8Array, place = 0.5): Uint8Array {
  const changed = bytes.slice();
  changed[Math.floor(bytes.length * place)]! ^= 1;
  return changed;
}
