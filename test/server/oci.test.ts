/**
 * OCI distribution-spec 1.1, its pull and discovery sections, requirement by requirement. The
 * names of the tests are the specification's sections.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Loose } from '../made/loose.ts';
import { makeSafetensors } from '../made/safetensors.ts';
import { Served } from '../made/served.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const SIGNATURE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const NOWHERE = `sha256:${'0'.repeat(64)}`;
const TEXT = 'It was a bright cold day in April.\n';
const FILES = {
  'README.md': '# Tiny\n',
  'config.json': '{}',
  'model.safetensors': makeSafetensors({ w: { dtype: 'F32', shape: [3, 5] } }),
  'modeling.py': 'print("hello")\n',
  'onnx/deep/notes.txt': TEXT,
};

let served: Served;

beforeAll(async () => {
  served = await Served.start();
  const { 'modeling.py': _, ...plain } = FILES;
  await served.publish('acme/tiny@v1', plain);
  await served.publish('acme/tiny@v2', { ...plain, 'onnx/deep/notes.txt': `${TEXT}again\n` });
  await served.publish('acme/other@1', { 'README.md': 'other' });
}, 30_000);
afterAll(() => served.stop());

const sha256 = (bytes: string | Uint8Array) =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const get = (path: string, options = {}) => served.fetch(`/v2${path}`, options);
const json = async (path: string): Promise<Loose> => (await get(path)).json();

async function errorOf(path: string, options = {}): Promise<[number, string]> {
  const response = await get(path, options);
  expect(response.headers.get('content-type')).toContain('application/json');
  const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
  expect(errors).toMatchObject([{ code: expect.any(String), message: expect.any(String) }]);
  return [response.status, errors[0]!.code];
}

describe('Determining Support', () => {
  test('the registry MUST answer 200 to GET /v2/', async () => {
    const response = await get('/');
    expect(response.status).toBe(200);
    expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
  });
});

describe('Pulling manifests', () => {
  test('GET by a tag MUST answer 200 with the type that the manifest says', async () => {
    const response = await get('/acme/tiny/manifests/v1', { headers: { accept: MANIFEST } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(MANIFEST);
    const text = await response.text();
    expect(JSON.parse(text).mediaType).toBe(MANIFEST);
    expect(response.headers.get('docker-content-digest')).toBe(sha256(text));
  });

  test('GET by a digest MUST answer the bytes with that digest', async () => {
    const { headers } = await get('/acme/tiny/manifests/v1');
    const digest = headers.get('docker-content-digest')!;
    const response = await get(`/acme/tiny/manifests/${digest}`);
    expect(sha256(await response.text())).toBe(digest);
    expect(response.headers.get('docker-content-digest')).toBe(digest);
  });

  test('HEAD says size, type and digest, and has no body', async () => {
    const whole = await (await get('/acme/tiny/manifests/v1')).text();
    const response = await get('/acme/tiny/manifests/v1', { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe(String(whole.length));
    expect(response.headers.get('docker-content-digest')).toBe(sha256(whole));
    expect(await response.text()).toBe('');
  });

  test('a manifest that is not there MUST be answered with 404', async () => {
    expect(await errorOf('/acme/tiny/manifests/v9')).toEqual([404, 'MANIFEST_UNKNOWN']);
    expect(await errorOf('/acme/tiny/manifests/-9')).toEqual([404, 'MANIFEST_UNKNOWN']);
    expect(await errorOf(`/acme/tiny/manifests/${NOWHERE}`)).toEqual([404, 'MANIFEST_UNKNOWN']);
    expect(await errorOf('/acme/tiny/manifests/sha256:12')).toEqual([400, 'DIGEST_INVALID']);
    const { headers } = await get('/acme/tiny/manifests/v1');
    const digest = headers.get('docker-content-digest')!;
    expect(await errorOf(`/acme/other/manifests/${digest}`)).toEqual([404, 'MANIFEST_UNKNOWN']);
  });

  test('is a model of ModelPack over the very files of the release', async () => {
    const manifest = await json('/acme/tiny/manifests/v1');
    expect(manifest).toMatchObject({
      schemaVersion: 2,
      artifactType: 'application/vnd.cncf.model.manifest.v1+json',
      config: { mediaType: 'application/vnd.cncf.model.config.v1+json' },
    });
    const layers = manifest.layers.map((layer: Loose) => [
      layer.annotations['org.cncf.model.filepath'],
      layer.annotations['org.opencontainers.image.title'],
      layer.digest,
      layer.mediaType.split('.').slice(3).join('.'),
    ]);
    const row = (path: keyof typeof FILES, kind: string) => [path, path, sha256(FILES[path]), kind];
    expect(layers).toEqual([
      row('README.md', 'doc.v1.raw'),
      row('config.json', 'weight.config.v1.raw'),
      row('model.safetensors', 'weight.v1.raw'),
      row('onnx/deep/notes.txt', 'doc.v1.raw'),
    ]);
    const config = await json(`/acme/tiny/blobs/${manifest.config.digest}`);
    expect(config.modelfs).toEqual({ type: 'layers', diffIds: layers.map((l: string[]) => l[2]) });
    expect(config.config).toEqual({ format: 'safetensors', precision: 'fp32' });
    expect(manifest.annotations).toMatchObject({
      'dev.weighhouse.parameters': '15',
      'dev.weighhouse.dtypes': '{"F32":15}',
      'dev.weighhouse.shards': '1',
    });
  });

  test('has the same bytes for ever', async () => {
    const before = await (await get('/acme/tiny/manifests/v1')).text();
    await served.publish('acme/later@1', { 'README.md': 'later' });
    expect(await (await get('/acme/tiny/manifests/v1')).text()).toBe(before);
  });
});

describe('Pulling blobs', () => {
  const digest = sha256(TEXT);

  test('GET MUST answer 200 with the bytes of that digest', async () => {
    const response = await get(`/acme/tiny/blobs/${digest}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('docker-content-digest')).toBe(digest);
    expect(await response.text()).toBe(TEXT);
  });

  test('every blob that a manifest names is there', async () => {
    for (const tag of ['v1', 'v2', 'latest']) {
      const { config, layers } = await json(`/acme/tiny/manifests/${tag}`);
      for (const { digest: named, size } of [config, ...layers]) {
        const bytes = new Uint8Array(await (await get(`/acme/tiny/blobs/${named}`)).arrayBuffer());
        expect([sha256(bytes), bytes.length]).toEqual([named, size]);
      }
    }
  });

  test('HEAD says the size and has no body', async () => {
    const response = await get(`/acme/tiny/blobs/${digest}`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe(String(TEXT.length));
    expect(await response.text()).toBe('');
  });

  test('SHOULD support the Range request header', async () => {
    const response = await get(`/acme/tiny/blobs/${digest}`, { headers: { range: 'bytes=3-5' } });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes 3-5/${TEXT.length}`);
    expect(await response.text()).toBe(TEXT.slice(3, 6));
  });

  test('a blob that is not there MUST be answered with 404', async () => {
    expect(await errorOf(`/acme/tiny/blobs/${NOWHERE}`)).toEqual([404, 'BLOB_UNKNOWN']);
    expect(await errorOf(`/acme/other/blobs/${digest}`)).toEqual([404, 'BLOB_UNKNOWN']);
    expect(await errorOf('/acme/tiny/blobs/sha256:..%2f..')).toEqual([400, 'DIGEST_INVALID']);
  });

  test('the bytes of a draft are no blob of its model, nor of another', async () => {
    const secret = 'not published\n';
    await served.push('acme/tiny@v3', { 'secret.txt': secret });
    expect(await errorOf(`/acme/tiny/blobs/${sha256(secret)}`)).toEqual([404, 'BLOB_UNKNOWN']);
    expect(await errorOf('/acme/tiny/manifests/v3')).toEqual([404, 'MANIFEST_UNKNOWN']);
  });
});

describe('Listing Tags', () => {
  const list = (query = '') => json(`/acme/tiny/tags/list${query}`);

  test('tags MUST be in lexical order, under the name of the repository', async () => {
    expect(await list()).toEqual({ name: 'acme/tiny', tags: ['latest', 'v1', 'v2'] });
  });

  test('n limits the answer, and last says where it goes on', async () => {
    expect((await list('?n=2')).tags).toEqual(['latest', 'v1']);
    expect((await list('?n=2&last=v1')).tags).toEqual(['v2']);
    expect((await list('?last=v0')).tags).toEqual(['v1', 'v2']);
    expect((await list('?n=0')).tags).toEqual([]);
    expect(await errorOf('/acme/tiny/tags/list?n=-1')).toEqual([400, 'UNSUPPORTED']);
  });

  test('a Link SHOULD lead to the rest, and MUST NOT be there with n = 0 or at the end', async () => {
    const link = async (query: string) =>
      (await get(`/acme/tiny/tags/list${query}`)).headers.get('link');
    expect(await link('?n=2')).toBe('</v2/acme/tiny/tags/list?n=2&last=v1>; rel="next"');
    expect(await link('?n=2&last=v1')).toBeNull();
    expect(await link('?n=0')).toBeNull();
  });

  test('of a repository that is not there are answered with 404', async () => {
    expect(await errorOf('/acme/none/tags/list')).toEqual([404, 'NAME_UNKNOWN']);
    expect(await errorOf('/acme/a/b/tags/list')).toEqual([404, 'NAME_UNKNOWN']);
    expect(await errorOf('/acme/-none/tags/list')).toEqual([400, 'NAME_INVALID']);
  });

  test('the catalog lists repositories in pages', async () => {
    expect((await json('/_catalog?n=2&last=acme/m')).repositories).toEqual([
      'acme/other',
      'acme/tiny',
    ]);
  });
});

describe('Listing Referrers', () => {
  const subject = async () =>
    (await get('/acme/tiny/manifests/v1')).headers.get('docker-content-digest')!;

  test('the answer MUST be an image index with a descriptor of each referrer', async () => {
    const response = await get(`/acme/tiny/referrers/${await subject()}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(INDEX);
    const { schemaVersion, mediaType, manifests } = (await response.json()) as never as {
      schemaVersion: number;
      mediaType: string;
      manifests: { artifactType: string; digest: string; size: number; mediaType: string }[];
    };
    expect([schemaVersion, mediaType]).toEqual([2, INDEX]);
    expect(manifests.map(({ artifactType }) => artifactType)).toContain(SIGNATURE);
    for (const { digest, size, artifactType } of manifests) {
      const text = await (await get(`/acme/tiny/manifests/${digest}`)).text();
      expect([sha256(text), text.length]).toEqual([digest, size]);
      const manifest = JSON.parse(text);
      expect(manifest).toMatchObject({ artifactType, subject: { digest: await subject() } });
      const [layer] = manifest.layers;
      const bytes = await (await get(`/acme/tiny/blobs/${layer.digest}`)).text();
      expect(sha256(bytes)).toBe(layer.digest);
    }
  });

  test('a filter that was applied MUST be named', async () => {
    const type = encodeURIComponent(SIGNATURE);
    const response = await get(`/acme/tiny/referrers/${await subject()}?artifactType=${type}`);
    expect(response.headers.get('oci-filters-applied')).toBe('artifactType');
    const { manifests } = (await response.json()) as { manifests: { artifactType: string }[] };
    expect(manifests).toMatchObject([{ artifactType: SIGNATURE }]);
  });

  test('of what nothing refers to MUST be an empty list, and never 404', async () => {
    const { manifests } = await json(`/acme/tiny/referrers/${NOWHERE}`);
    expect(manifests).toEqual([]);
    expect(await errorOf('/acme/tiny/referrers/sha256:1')).toEqual([400, 'DIGEST_INVALID']);
  });

  test('model.sig of a release hangs on its manifest, byte for byte', async () => {
    const type = encodeURIComponent(SIGNATURE);
    const { manifests } = await json(
      `/acme/tiny/referrers/${await subject()}?artifactType=${type}`,
    );
    const { layers } = await json(`/acme/tiny/manifests/${manifests[0].digest}`);
    const blob = await (await get(`/acme/tiny/blobs/${layers[0].digest}`)).text();
    const own = await (await served.fetch('/api/v1/releases/acme/tiny/v1/model.sig')).text();
    expect(blob).toBe(own);
  });
});

describe('Push', () => {
  test.each([
    ['POST', '/acme/tiny/blobs/uploads/'],
    ['PUT', '/acme/tiny/manifests/v4'],
    ['DELETE', '/acme/tiny/manifests/v1'],
  ])('%s %s is not supported, and says what to do', async (method, path) => {
    const response = await get(path, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const { errors } = (await response.json()) as { errors: { code: string; message: string }[] };
    expect(errors[0]).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('weighhouse push DIR REF'),
    });
  });
});
