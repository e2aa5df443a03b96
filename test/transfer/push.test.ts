import { appendFile, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Api } from '../../src/client/api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { MemoryPins } from '../../src/client/pins.ts';
import { introduce, trust } from '../../src/client/trust.ts';
import { parseManifest } from '../../src/core/release/manifest.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { noncesIn } from '../../src/transfer/nonces.ts';
import type { Progress } from '../../src/transfer/progress.ts';
import { pull } from '../../src/transfer/pull.ts';
import { type PushOptions, previewPush, push } from '../../src/transfer/push.ts';
import { scanFolder } from '../../src/transfer/scan.ts';
import { verifyFolder } from '../../src/transfer/verify.ts';
import { nonceOf } from '../made/live-registry.ts';
import { noise } from '../made/noise.ts';
import { makeSafetensors } from '../made/safetensors.ts';
import { Served } from '../made/served.ts';

const MIB = 2 ** 20;
/** Protocol 2: a tuple of nothing. */
const PICKLE = Uint8Array.of(0x80, 2, 0x29, 0x2e);
const pool = new HashingPool();
let served: Served;
let parent: string;
let folder: string;
let releases = 0;
let nonces = 100;

beforeAll(async () => {
  served = await Served.start();
});
afterAll(async () => {
  await served.stop();
  await pool.close();
});
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'weighhouse-push-'));
  folder = join(parent, 'model');
  await mkdir(folder);
  await put('config.json', '{"layers":1}');
  await put('onnx/model.bin', noise(1, 100_000));
  await put('weights.bin', noise(2, 20 * MIB));
  releases += 1;
});
afterEach(() => rm(parent, { recursive: true, force: true }));

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

function api(): Api {
  return new Api({ url: parseRegistryUrl(served.url), token: served.publisher });
}

/** A release of its own for each test. */
function release() {
  return parseReleaseName(`acme/tiny@v${releases}`);
}

async function sealed() {
  return parseManifest(await api().draftManifest(release()));
}

function pushFolder(options: PushOptions = {}) {
  const publisher = {
    host: nodeHost,
    api: api(),
    pool,
    nonces: noncesIn(join(parent, 'nonces'), () => nonceOf(nonces++)),
  };
  return push(publisher, folder, release(), options);
}

describe('a push', () => {
  test('seals what lies in the folder; published, it is pulled and verified', async () => {
    const { digest, files, bytes } = await pushFolder();
    expect({ files, bytes }).toEqual({ files: 3, bytes: 20 * MIB + 100_012 });
    await api().publish(release(), digest);
    await served.publish(`acme/other@v${releases}`, { 'a.txt': 'a' });

    const pins = new MemoryPins();
    const first = await introduce(nodeHost, pins, (version) => api().root(version));
    await trust(pins, first, served.fingerprint, served.url);
    const reader = { host: nodeHost, api: api(), pins, clock: Date.now };
    const target = join(parent, 'pulled');
    const pulled = await pull(reader, pool, { ...release(), at: release() }, target);
    expect(pulled.digest).toBe(digest);
    expect(
      await verifyFolder({ host: nodeHost, pins, pool }, target, { full: true }),
    ).toMatchObject({ ok: true, digest });
  });

  test('of a file says that it wants the directory', async () => {
    await expect(scanFolder(join(folder, 'config.json'))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('is no directory'),
    });
  });

  test('done again has the same digest and sends nothing', async () => {
    const first = await pushFolder();
    const sent: Progress[] = [];
    const second = await pushFolder({ onProgress: (progress) => sent.push(progress) });
    expect(second.digest).toBe(first.digest);
    expect(sent.filter(({ phase }) => phase === 'upload')).toEqual([]);
  });

  test('of a changed folder makes a new revision', async () => {
    const first = await pushFolder();
    await put('config.json', '{"layers":2}');
    const second = await pushFolder();
    expect(second.digest).not.toBe(first.digest);
    expect((await api().draftStatus(release())).former).toEqual([first.digest]);
  });

  test('of a folder from which a file was only taken makes a new revision, too', async () => {
    const before = await pushFolder();
    await rm(join(folder, 'config.json'));
    const after = await pushFolder();
    expect(after.files).toBe(before.files - 1);
    expect(after.digest).not.toBe(before.digest);
    expect(await api().draftStatus(release())).toMatchObject({
      revision: 2,
      former: [before.digest],
      digest: after.digest,
    });
  });

  test('says where its files came from, and seals anew when it says something else', async () => {
    const source = { url: 'https://hub.example/acme/tiny', revision: 'ab'.repeat(20) };
    const bare = await pushFolder();
    const first = await pushFolder({ claims: { source } });
    expect(await sealed()).toMatchObject({ source, draft: { former: [bare.digest] } });
    expect((await pushFolder({ claims: { source } })).digest).toBe(first.digest);
    const other = { ...source, revision: 'cd'.repeat(20) };
    const second = await pushFolder({ claims: { source: other } });
    expect(await sealed()).toMatchObject({ source: other, draft: { revision: 3 } });
    await api().publish(release(), second.digest);
    const { namespace, name, version } = release();
    expect((await api().release({ namespace, name }, version)).source).toEqual(other);
  });

  test('that was stopped goes on with the parts that are there', async () => {
    const stop = new AbortController();
    const onProgress = ({ phase, bytes }: Progress) => {
      if (phase === 'upload' && bytes >= 8 * MIB) stop.abort();
    };
    const options = { signal: stop.signal, connections: 1, onProgress };
    await expect(pushFolder(options)).rejects.toThrowWithCode('interrupted');
    let first: number | undefined;
    const { digest } = await pushFolder({
      onProgress: ({ phase, bytes, file }) => {
        if (phase === 'upload' && file === 'weights.bin') first ??= bytes;
      },
    });
    expect(digest).toBeDefined();
    expect(first).toBeGreaterThanOrEqual(8 * MIB);
  });

  test('leaves out what is no part of a model, and says so', async () => {
    await put('.git/config', 'x');
    await put('model.sig', 'x');
    const { files, leftOut } = await previewPush(undefined, folder, release());
    expect({ files, leftOut }).toEqual({ files: 3, leftOut: ['.git', 'model.sig'] });
  });

  test('without a seal leaves the draft open', async () => {
    expect(await pushFolder({ noSeal: true })).not.toHaveProperty('digest');
    expect((await api().draftStatus(release())).state).toBe('draft');
  });

  test('of a published version is refused', async () => {
    const { digest } = await pushFolder();
    await api().publish(release(), digest);
    await expect(pushFolder()).rejects.toThrowWithCode('already-published');
  });
});

describe('a preview of a push', () => {
  const preview = (registry?: Api) => previewPush(registry, folder, release());

  test('says what would be pushed, and makes no draft', async () => {
    expect(await preview(api())).toMatchObject({ files: 3, warnings: [] });
    expect(await preview()).toEqual(await preview(api()));
    await expect(api().draftStatus(release())).rejects.toThrowWithCode('not-found');
  });

  test('refuses broken weights as a push does', async () => {
    await put('model.gguf', 'not weights at all');
    await expect(preview()).rejects.toThrowWithCode('bad-weights');
  });

  test('refuses code by the policy of the namespace, and warns where nobody knows that', async () => {
    await put('model.pt', PICKLE);
    await expect(preview(api())).rejects.toThrowWithCode('code-carrying-format');
    const { warnings } = await preview();
    expect(warnings).toEqual([expect.stringContaining('model.pt')]);
    const elsewhere = parseReleaseName('nobody/knows@v1');
    const unknown = await previewPush(api(), folder, elsewhere);
    expect(unknown.warnings).toEqual(warnings);
  });
});

describe('a push is refused', () => {
  test('for a symbolic link', async () => {
    await symlink('config.json', join(folder, 'link.json'));
    await expect(pushFolder()).rejects.toThrowWithCode('bad-path');
  });

  test('for a name that is a device elsewhere', async () => {
    await put('aux.txt', 'x');
    await expect(pushFolder()).rejects.toThrowWithCode('bad-path');
  });

  test('for an empty folder', async () => {
    await expect(pushFolder({ include: ['*.gguf'] })).rejects.toThrowWithCode('usage');
  });

  test.each([
    [
      'truncated weights',
      makeSafetensors({ w: { dtype: 'U8', shape: [9] } }).subarray(0, -1),
      'bad-weights',
    ],
    ['a pickle by another name', PICKLE, 'code-carrying-format'],
  ] as const)('for %s, by name, before anything is hashed or sent', async (_, bytes, code) => {
    await put('model.safetensors', bytes);
    const seen: Progress[] = [];
    const pushing = pushFolder({ onProgress: (progress) => seen.push(progress) });
    await expect(pushing).rejects.toThrow(/model\.safetensors/);
    await expect(pushing).rejects.toThrowWithCode(code);
    expect(seen).toEqual([]);
    await expect(api().draftStatus(release())).rejects.toThrowWithCode('not-found');
  });

  test('for an index that does not fit its shards', async () => {
    await put('model.safetensors.index.json', '{"weight_map":{"w":"gone.safetensors"}}');
    await expect(pushFolder()).rejects.toThrowWithCode('bad-weights');
  });

  test('when a file changes while it is pushed', async () => {
    let changed: Promise<void> | undefined;
    const onProgress = ({ phase }: Progress) => {
      if (phase === 'upload') changed ??= appendFile(join(folder, 'weights.bin'), 'x');
    };
    await expect(pushFolder({ onProgress, connections: 1 })).rejects.toThrowWithCode(
      'file-changed',
    );
    await changed;
  });

  test('when a file changes behind its time stamps', async () => {
    const location = join(folder, 'weights.bin');
    const at = new Date();
    await utimes(location, at, at);
    let changed: Promise<void> | undefined;
    const onProgress = ({ phase }: Progress) => {
      if (phase !== 'upload') return;
      changed ??= writeFile(location, noise(3, 20 * MIB)).then(() => utimes(location, at, at));
    };
    await expect(pushFolder({ onProgress, connections: 1 })).rejects.toThrowWithCode(
      'file-changed',
    );
    await changed;
  });

  test.each([
    ['another nonce', /"nonce":"[0-9a-f]{2}/, '"nonce":"00'],
    ['another source', '"revision":"ab', '"revision":"00'],
  ])('when the registry sealed %s', async (_, ours, theirs) => {
    const source = { url: 'https://hub.example/acme/tiny', revision: 'ab'.repeat(20) };
    const fetchOther: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (!String(input).endsWith('/manifest.json')) return response;
      const text = await response.text();
      return new Response(text.replace(ours, theirs));
    };
    const publisher = {
      host: nodeHost,
      api: new Api({
        url: parseRegistryUrl(served.url),
        token: served.publisher,
        fetch: fetchOther,
      }),
      pool,
      nonces: noncesIn(join(parent, 'nonces'), () => 'ff'.repeat(32)),
    };
    const pushing = push(publisher, folder, release(), { claims: { source } });
    await expect(pushing).rejects.toThrowWithCode('digest-mismatch');
  });
});
