/** What an import believes of an OCI registry: the manifest by its digest, and each layer by its own. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MAX_FILES } from '../../../src/core/release/manifest.ts';
import type { OciAddress } from '../../../src/transfer/import/address.ts';
import { anonymousTokens } from '../../../src/transfer/import/oci-token.ts';
import {
  openSource,
  registryAt,
  type SourceOptions,
} from '../../../src/transfer/import/open-source.ts';
import { stage } from '../../../src/transfer/import/stage.ts';
import { sha256 } from '../../made/hub.ts';
import type { Loose } from '../../made/loose.ts';
import { Stranger } from '../../made/stranger.ts';

const IMAGE = 'application/vnd.oci.image.manifest.v1+json';
const RAW = 'application/vnd.cncf.model.weight.v1.raw';
const TITLE = 'org.opencontainers.image.title';
const text = (content: string) => new TextEncoder().encode(content);
const FILES = { 'README.md': text('# Tiny\n'), 'onnx/model.onnx': text('weights') };

let registry: Stranger;
let folder: string;

beforeEach(async () => {
  registry = await Stranger.start();
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-import-'));
  for (const bytes of Object.values(FILES)) registry.content(blob(bytes), bytes);
});
afterEach(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

const blob = (bytes: Uint8Array) => `/v2/acme/tiny/blobs/sha256:${sha256(bytes)}`;

function layer(path: string, bytes: Uint8Array, more: Loose = {}) {
  const annotations = { [TITLE]: path };
  const digest = `sha256:${sha256(bytes)}`;
  return { mediaType: RAW, digest, size: bytes.length, annotations, ...more };
}

function manifestOf(layers: readonly unknown[], more: Loose = {}): Uint8Array {
  const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: 'x', size: 2 };
  const whole = { schemaVersion: 2, mediaType: IMAGE, config: empty, layers, ...more };
  return text(JSON.stringify(whole));
}

/** Lets the registry show the manifest under a tag and its digest; resolves to the digest. */
function show(bytes: Uint8Array, tag = 'latest'): string {
  const digest = `sha256:${sha256(bytes)}`;
  for (const reference of [tag, digest]) {
    registry.answers.set(`/v2/acme/tiny/manifests/${reference}`, (_, response) => {
      response.writeHead(200, { 'content-type': IMAGE, 'docker-content-digest': digest });
      response.end(bytes);
    });
  }
  return digest;
}

const usual = () => Object.entries(FILES).map(([path, bytes]) => layer(path, bytes));

function open(options: Partial<SourceOptions> = {}, reference = 'latest') {
  const { host } = new URL(registry.url);
  const address: OciAddress = { kind: 'oci', host, repository: 'acme/tiny', reference };
  const pauses = { sleep: async () => {}, random: () => 0 };
  return openSource(address, { endpoint: '', pauses, ...options });
}

describe('an import from an OCI registry', () => {
  test('pins the manifest’s digest and fetches its layers', async () => {
    const digest = show(manifestOf(usual()), 'v1');
    const snapshot = await open({}, 'v1');
    const url = `oci://${new URL(registry.url).host}/acme/tiny`;
    expect(snapshot.source).toEqual({ url, revision: digest });
    expect(registry.asked[0]!.accept).toBe(IMAGE);
    await stage(snapshot, folder);
    for (const [path, bytes] of Object.entries(FILES)) {
      expect(new Uint8Array(await readFile(join(folder, path)))).toEqual(bytes);
    }
    expect((await open({}, digest)).source).toEqual(snapshot.source);
  });

  test('goes by the path of ModelPack before the title', async () => {
    const bytes = FILES['README.md'];
    const annotations = { [TITLE]: 'title', 'org.cncf.model.filepath': 'docs/README.md' };
    show(manifestOf([layer('', bytes, { annotations })]));
    expect((await open()).files.map(({ path }) => path)).toEqual(['docs/README.md']);
  });

  test('takes one layer under two names', async () => {
    const bytes = FILES['README.md'];
    show(manifestOf([layer('a', bytes), layer('b', bytes)]));
    expect((await open()).files.map(({ path }) => path)).toEqual(['a', 'b']);
  });
});

describe('an import refuses', () => {
  test.each([
    ['application/vnd.oci.image.layer.v1.tar'],
    ['application/vnd.oci.image.layer.v1.tar+gzip'],
    ['application/vnd.oci.image.layer.v1.tar+zstd'],
    ['application/vnd.docker.image.rootfs.diff.tar.gzip'],
    ['application/vnd.cncf.model.weight.v1.tar'],
    ['application/vnd.cncf.model.weight.v1.raw+gzip'],
  ])('a layer of type %s, and says why', async (mediaType) => {
    show(manifestOf([layer('a', FILES['README.md'], { mediaType })]));
    await expect(open()).rejects.toMatchObject({
      code: 'bad-document',
      message: expect.stringContaining('is packed'),
    });
  });

  test('a folder that oras has packed', async () => {
    const annotations = { [TITLE]: 'onnx', 'io.deis.oras.content.unpack': 'true' };
    show(manifestOf([layer('onnx', FILES['README.md'], { annotations })]));
    await expect(open()).rejects.toThrow(/is packed/);
  });

  test('a layer without a name', async () => {
    show(manifestOf([layer('a', FILES['README.md'], { annotations: {} })]));
    await expect(open()).rejects.toThrow(/has no file name/);
  });

  test.each(['../evil', '/evil', 'a\\b', 'aux'])('a layer called %j', async (path) => {
    show(manifestOf([layer(path, FILES['README.md'])]));
    await expect(open()).rejects.toThrowWithCode('bad-path');
  });

  test('two layers with one name', async () => {
    show(manifestOf([layer('a', FILES['README.md']), layer('A', FILES['onnx/model.onnx'])]));
    await expect(open()).rejects.toThrowWithCode('bad-path');
  });

  test.each([['sha512:ab'], [`sha256:${'AB'.repeat(32)}`], ['sha256:../../../etc/passwd']])(
    'the digest %s',
    async (digest) => {
      show(manifestOf([layer('a', FILES['README.md'], { digest })]));
      await expect(open()).rejects.toThrowWithCode('bad-document');
    },
  );

  test('another manifest than was asked for, or than the registry says it is', async () => {
    const digest = show(manifestOf(usual()));
    const other = manifestOf(usual().slice(1));
    registry.content(`/v2/acme/tiny/manifests/${digest}`, other);
    await expect(open({}, digest)).rejects.toThrowWithCode('digest-mismatch');
    registry.answers.set('/v2/acme/tiny/manifests/latest', (_, response) => {
      response.writeHead(200, { 'docker-content-digest': digest }).end(other);
    });
    await expect(open()).rejects.toThrowWithCode('digest-mismatch');
  });

  test('other bytes than the layer’s digest', async () => {
    show(manifestOf(usual()));
    registry.content(blob(FILES['README.md']), text('# Evil\n'));
    await expect(open().then((snapshot) => stage(snapshot, folder))).rejects.toThrowWithCode(
      'digest-mismatch',
    );
  });

  test(`more than ${MAX_FILES} layers`, async () => {
    const [one] = usual();
    const layers = Array.from({ length: MAX_FILES + 1 }, (_, i) => {
      return { ...one, annotations: { [TITLE]: `${i}` } };
    });
    show(manifestOf(layers));
    await expect(open()).rejects.toThrowWithCode('too-large');
    show(manifestOf(layers.slice(1)));
    expect((await open()).files).toHaveLength(MAX_FILES);
  });

  test('an index, and an artifact without files', async () => {
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    show(text(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [] })));
    await expect(open()).rejects.toThrow(/no manifest of one artifact/);
    show(manifestOf([]));
    await expect(open()).rejects.toThrowWithCode('usage');
  });
});

describe('a registry that wants a token', () => {
  const manifest = '/v2/acme/tiny/manifests/latest';
  let service: Stranger;

  beforeEach(async () => {
    service = await Stranger.start();
    const bytes = manifestOf(usual());
    show(bytes);
    for (const [path, answer] of [...registry.answers]) {
      registry.answers.set(path, (request, response) => {
        if (request.headers.authorization === 'Bearer given') return answer(request, response);
        const realm = `Bearer realm="${service.url}/token",service="registry & co"`;
        response.writeHead(401, { 'www-authenticate': realm }).end();
      });
    }
    service.json('/token', { token: 'given' });
  });
  afterEach(() => service.stop());

  test('is shown one that anybody gets, for this repository', async () => {
    await stage(await open(), folder);
    expect(service.asked).toHaveLength(1);
    const asked = new URL(service.asked[0]!.path, service.url).searchParams;
    expect(Object.fromEntries(asked)).toEqual({
      service: 'registry & co',
      scope: 'repository:acme/tiny:pull',
    });
    expect(service.asked[0]!.token).toBeUndefined();
  });

  test('is asked for a new one when that has run out', async () => {
    const snapshot = await open();
    service.json('/token', { access_token: 'second' });
    for (const bytes of Object.values(FILES)) {
      const answer = registry.answers.get(blob(bytes))!;
      registry.answers.set(blob(bytes), (request, response) => {
        const { authorization } = request.headers;
        request.headers.authorization = authorization === 'Bearer second' ? 'Bearer given' : '';
        answer(request, response);
      });
    }
    await stage(snapshot, folder);
    const first = registry.asked.find(({ path }) => path.includes('/blobs/'));
    expect(first?.token).toBe('Bearer given');
  });

  test('is shown the person’s token, which goes nowhere else', async () => {
    await open({ token: 'given' });
    expect(registry.asked.map(({ token }) => token)).toStrictEqual(['Bearer given']);
    await expect(open({ token: 'other' })).rejects.toThrowWithCode('not-authorised');
    expect(service.asked).toEqual([]);
  });

  test('and gives none to strangers is told in a sentence', async () => {
    service.refuse('/token', 401);
    await expect(open()).rejects.toMatchObject({
      code: 'not-authorised',
      message: expect.stringContaining('--source-token-file'),
    });
  });

  test.each([
    ['Basic realm="x"'],
    ['Bearer'],
    ['Bearer realm="file:///etc/passwd"'],
    ['Bearer realm="not an address"'],
  ])('by %s is not understood, and asks nobody', async (challenge) => {
    registry.refuse(manifest, 401, { 'www-authenticate': challenge });
    await expect(open()).rejects.toThrowWithCode('not-authorised');
    expect(service.asked).toEqual([]);
  });

  test('over https is not followed to a service over http', async () => {
    const ask = anonymousTokens('https://registry.example', 'acme/tiny', {});
    expect(await ask(`Bearer realm="${service.url}/token"`)).toBeUndefined();
    expect(service.asked).toEqual([]);
  });

  test('names a host behind a redirect that may not ask for one', async () => {
    registry.redirect(manifest, `${service.url}/else`);
    const realm = `Bearer realm="${service.url}/token"`;
    service.refuse('/else', 401, { 'www-authenticate': realm });
    await expect(open()).rejects.toThrowWithCode('not-authorised');
    expect(service.paths).toEqual(['/else']);
  });
});

test.each([
  ['ghcr.io', 'https://ghcr.io'],
  ['127.0.0.1.example:5000', 'https://127.0.0.1.example:5000'],
  ['localhost.example', 'https://localhost.example'],
  ['localhost:5000', 'http://localhost:5000'],
  ['127.0.0.1:5000', 'http://127.0.0.1:5000'],
  ['[::1]:5000', 'http://[::1]:5000'],
])('%s is asked at %s', (host, url) => {
  expect(registryAt(host)).toBe(url);
  expect(registryAt(host, true)).toBe(`http://${host}`);
});
