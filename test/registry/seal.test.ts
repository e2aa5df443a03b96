import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import type { Claims } from '../../src/core/release/claims.ts';
import { parseManifest } from '../../src/core/release/manifest.ts';
import { parseReleaseName, type ReleaseName } from '../../src/core/release/name.ts';
import { parseInventory } from '../../src/core/weights/inventory.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { MAX_SEALS, SEALS_AT_ONCE } from '../../src/registry/seal.ts';
import type { Store } from '../../src/store/contract.ts';
import type { Key } from '../../src/store/keys.ts';
import { nonceOf, PUBLISHER, RELEASE, useWorlds } from '../made/live-registry.ts';
import { makeSafetensors } from '../made/safetensors.ts';

const makeWorld = useWorlds();
const BYTES = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const MODEL = makeSafetensors({
  a: { dtype: 'F32', shape: [2], bytes: BYTES },
  none: { dtype: 'F32', shape: [0] },
  b: { dtype: 'U8', shape: [4], bytes: BYTES.subarray(0, 4) },
});
const FILES = { 'model.safetensors': MODEL, 'README.md': 'Hello.' };
const PATHS = Object.keys(FILES);

async function upload(files: Readonly<Record<string, Uint8Array | string>> = FILES) {
  const live = await (await makeWorld()).openWithNamespace();
  await live.upload(PUBLISHER, RELEASE, files);
  return live;
}

describe('a seal', () => {
  test('names every file with its format, and the inventory of its tensors', async () => {
    const live = await upload();
    const { digest } = await live.seal(PUBLISHER, RELEASE, PATHS);
    const bytes = await live.registry.draftManifest(PUBLISHER, RELEASE);
    expect(digestOf(nodeHost, bytes)).toBe(digest);
    const manifest = parseManifest(bytes);
    expect(manifest).toMatchObject({
      origin: 'models.example.org',
      release: 'acme/tiny@v1.0',
      files: [
        { path: 'README.md', format: 'text', size: 6 },
        { path: 'model.safetensors', format: 'safetensors', size: MODEL.length },
      ],
      size: 6 + MODEL.length,
    });
    await live.registry.publish(PUBLISHER, RELEASE, digest);
    const tensors = await live.registry.document(RELEASE, 'tensors.json');
    expect(manifest.tensors).toEqual({
      sha256: digestOf(nodeHost, tensors),
      size: tensors.length,
    });
    const [file] = parseInventory(tensors).files;
    const digests = file!.tensors.map(({ name, sha256 }) => [name, sha256]);
    expect(Object.fromEntries(digests)).toEqual({
      a: digestOf(nodeHost, BYTES),
      none: digestOf(nodeHost, new Uint8Array(0)),
      b: digestOf(nodeHost, BYTES.subarray(0, 4)),
    });
  });

  test('of files without tensors has no inventory', async () => {
    const live = await upload({ 'README.md': 'Hello.' });
    const { digest } = await live.seal(PUBLISHER, RELEASE, ['README.md']);
    await live.registry.publish(PUBLISHER, RELEASE, digest);
    const tensors = live.registry.document(RELEASE, 'tensors.json');
    await expect(tensors).rejects.toThrowWithCode('not-found');
  });

  test('takes exactly the paths it is given, in any order', async () => {
    const live = await upload({ ...FILES, 'left-out.txt': 'x' });
    const one = await live.seal(PUBLISHER, RELEASE, PATHS);
    const other = await live.seal(PUBLISHER, RELEASE, PATHS.toReversed());
    expect(other.digest).toBe(one.digest);
    const manifest = parseManifest(await live.registry.draftManifest(PUBLISHER, RELEASE));
    expect(manifest.files.map(({ path }) => path)).toEqual(['README.md', 'model.safetensors']);
  });

  test('names the files that are not uploaded', async () => {
    const live = await upload();
    const status = await live.seal(PUBLISHER, RELEASE, [...PATHS, 'missing.bin']);
    expect(status.seal).toMatchObject({
      running: false,
      error: { code: 'conflict', message: expect.stringContaining('missing.bin') },
    });
    expect(await live.seal(PUBLISHER, RELEASE, PATHS)).toMatchObject({ state: 'sealed' });
  });

  test('refuses names that are one name on some file systems', async () => {
    const live = await upload({ 'README.md': 'one', 'readme.MD': 'two' });
    const status = await live.seal(PUBLISHER, RELEASE, ['README.md', 'readme.MD']);
    expect(status.seal).toMatchObject({ error: { code: 'bad-path' } });
  });

  test.each([
    ['a nonce that is no 32 bytes', { nonce: 'ff', paths: PATHS }, 'bad-document'],
    ['no paths', { nonce: nonceOf(1), paths: [] }, 'too-large'],
    ['a path twice', { nonce: nonceOf(1), paths: ['a', 'a'] }, 'bad-document'],
    ['a bad path', { nonce: nonceOf(1), paths: ['../a'] }, 'bad-path'],
  ] as const)('with %s is refused at once', async (_, request, code) => {
    const { registry } = await upload();
    await expect(registry.seal(PUBLISHER, RELEASE, request)).rejects.toThrowWithCode(code);
  });
});

describe('a seal that runs', () => {
  test('is joined by the same request and refuses another', async () => {
    const { registry } = await upload();
    const request = { nonce: nonceOf(1), paths: PATHS };
    const both = await Promise.all([
      registry.seal(PUBLISHER, RELEASE, request),
      registry.seal(PUBLISHER, RELEASE, { ...request, paths: PATHS.toReversed() }),
    ]);
    for (const status of both) expect(status).toMatchObject({ seal: { running: true } });
    const other = registry.seal(PUBLISHER, RELEASE, { ...request, nonce: nonceOf(2) });
    await expect(other).rejects.toThrowWithCode('conflict');
  });

  test('in two processes comes to the same digest', async () => {
    const live = await upload();
    const other = await live.world.open();
    const statuses = await Promise.all(
      [live, other].map((each) => each.seal(PUBLISHER, RELEASE, PATHS)),
    );
    expect(statuses[0]!.digest).toBeDefined();
    expect(statuses[1]!.digest).toBe(statuses[0]!.digest);
  });

  test('counts the bytes that it has read', async () => {
    const live = await upload();
    const total = MODEL.length + 6;
    const seen: number[] = [];
    let status = await live.registry.seal(PUBLISHER, RELEASE, { nonce: nonceOf(1), paths: PATHS });
    while (status.state === 'draft') {
      if (status.seal?.running) seen.push(status.seal.bytes);
      await setImmediate();
      status = await live.registry.draftStatus(PUBLISHER, RELEASE);
    }
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.every((bytes) => bytes <= total)).toBe(true);
  });

  test('that was interrupted reads no byte again that it has read, and the next revision reads all', async () => {
    const { world } = await upload({ 'a.txt': 'aaaa', 'b.txt': 'bbbb' });
    // The process ends when the second file is found good.
    let found = 0;
    const died = Promise.withResolvers<void>();
    const dying = await world.open({
      fault: ({ kind, key }) => {
        if (kind !== 'swap' || !key.includes('/files/') || ++found < 2) return undefined;
        died.resolve();
        return 'die-before';
      },
    });
    void dying.seal(PUBLISHER, RELEASE, ['a.txt', 'b.txt']);
    await died.promise;
    world.bury(dying);

    const read: string[] = [];
    const next = await world.open({
      fault: ({ kind, key }) => {
        if (kind === 'read') read.push(key);
        return undefined;
      },
    });
    expect(await next.seal(PUBLISHER, RELEASE, ['a.txt', 'b.txt'])).toMatchObject({
      state: 'sealed',
    });
    // Both are looked into; one of them is hashed.
    const looks = read.length;
    read.length = 0;
    await next.seal(PUBLISHER, RELEASE, ['a.txt', 'b.txt'], nonceOf(2));
    expect(read.length).toBe(looks + 1);
  });
});

describe('why seals failed', () => {
  test('every server says, also after a restart, until it is asked for again', async () => {
    const live = await upload();
    await live.seal(PUBLISHER, RELEASE, ['absent.txt']);
    const next = await live.world.open();
    const failed = { running: false, error: { code: 'conflict' } };
    for (const { registry } of [live, next]) {
      expect((await registry.draftStatus(PUBLISHER, RELEASE)).seal).toMatchObject(failed);
    }
    expect(await next.seal(PUBLISHER, RELEASE, PATHS)).toMatchObject({ state: 'sealed' });
    expect((await live.registry.draftStatus(PUBLISHER, RELEASE)).seal).toBeUndefined();
  });
});

describe('seals of many drafts', () => {
  test('take turns, and more than so many are refused; a stop reads none that still waits', async () => {
    const world = await makeWorld();
    await (await world.openWithNamespace()).close();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    let reading = 0;
    const real = world.disk.open();
    const store = new Proxy(real, {
      get(target, name: keyof Store) {
        const member = target[name];
        if (typeof member !== 'function') return member;
        if (name !== 'get') return member.bind(target);
        return async (key: Key) => {
          if (key.includes('/files/')) {
            reading += 1;
            await held;
          }
          return target.get(key);
        };
      },
    });
    const { registry } = await world.open({}, { store });
    const drafts = Array.from({ length: MAX_SEALS + 1 }, (_, n) =>
      parseReleaseName(`acme/tiny@v${n}`),
    );
    const seal = async (draft: ReleaseName) => {
      await registry.openDraft(PUBLISHER, draft);
      return registry.seal(PUBLISHER, draft, { nonce: nonceOf(1), paths: ['absent.txt'] });
    };
    for (const draft of drafts.slice(0, -1)) await seal(draft);
    expect(reading).toBe(SEALS_AT_ONCE);
    await expect(seal(drafts.at(-1)!)).rejects.toThrowWithCode('overloaded');
    release();
    await registry.close();
    expect(reading).toBe(SEALS_AT_ONCE);
  });
});

describe('the bases that a release names', () => {
  const OTHER = parseReleaseName('acme/small@v1.0');
  const base = (release: string, digest: Digest) => [
    { relation: 'quantized' as const, release, digest },
  ];

  async function sealWith(made: (published: Digest) => Claims) {
    const live = await (await makeWorld()).openWithNamespace();
    const { digest } = await live.release(PUBLISHER, RELEASE, { 'README.md': 'The base.' });
    await live.push(PUBLISHER, DRAFT, { 'README.md': 'A draft.' }, nonceOf(2));
    const { digest: draft } = await live.registry.draftStatus(PUBLISHER, DRAFT);
    await live.upload(PUBLISHER, OTHER, FILES);
    const claims = made(digest);
    const seal = () => live.seal(PUBLISHER, OTHER, PATHS, nonceOf(3), claims);
    return { live, seal, draft: draft!, claims };
  }
  const DRAFT = parseReleaseName('acme/unpublished@v1.0');

  test('are sealed into its manifest when they are published with that digest', async () => {
    const { live, seal, claims } = await sealWith((digest) => ({
      base: base('acme/tiny@v1.0', digest),
    }));
    await seal();
    const manifest = parseManifest(await live.registry.draftManifest(PUBLISHER, OTHER));
    expect(manifest.base).toEqual(claims.base);
  });

  test('must be published, with that digest: a draft is as one that does not exist', async () => {
    const { live, seal, draft } = await sealWith(() => ({
      base: base('acme/tiny@v1.0', `sha256:${'00'.repeat(32)}` as Digest),
    }));
    await expect(seal()).rejects.toThrowWithCode('not-found');
    const refusal = async (release: string) => {
      const request = { nonce: nonceOf(3), paths: PATHS, base: base(release, draft) };
      const error = await live.registry.seal(PUBLISHER, OTHER, request).catch((e: Error) => e);
      return String(error).replaceAll(release, 'REF');
    };
    expect(await refusal('acme/unpublished@v1.0')).toContain('is not published here');
    expect(await refusal('acme/unpublished@v1.0')).toBe(await refusal('acme/nothing@v1.0'));
    expect((await live.registry.draftStatus(PUBLISHER, OTHER)).state).toBe('draft');
  });
});
