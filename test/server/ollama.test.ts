/**
 * What Ollama asks of a registry, in its order and with its headers (its `server/images.go` and
 * `server/download.go`). The program itself is run in test/peers, where it is asked for.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { GGUF, ggufKey, ggufString, makeGguf, u32 } from '../made/gguf.ts';
import type { Loose } from '../made/loose.ts';
import { Served } from '../made/served.ts';

const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';
const MODEL = makeGguf({
  keys: [
    ggufKey('general.architecture', GGUF.string, ggufString('llama')),
    ggufKey('general.file_type', GGUF.u32, u32(7)),
  ],
  tensors: [
    { name: 'a', dtype: 'F32', shape: [32, 40] },
    { name: 'b', dtype: 'Q8_0', shape: [32, 10] },
  ],
});

let served: Served;
beforeAll(async () => {
  served = await Served.start();
  await served.publish('acme/tiny@q8', {
    'tiny.gguf': MODEL,
    template: '{{ .Prompt }}',
    params: '{"temperature":0.5}',
    LICENSE: 'MIT',
    'README.md': '# Tiny\n',
  });
  await served.publish('acme/two@1', { 'a.gguf': MODEL, 'b.gguf': makeGguf({}) });
  await served.publish('acme/none@1', { 'README.md': 'None.' });
}, 30_000);
afterAll(() => served.stop());

const manifest = (model: string, accept = DOCKER) =>
  served.fetch(`/v2/acme/${model}`, { headers: { accept } });

describe('ollama pull', () => {
  test('gets a manifest whose layers are the files of the release', async () => {
    const response = await manifest('tiny/manifests/q8');
    expect(response.headers.get('content-type')).toBe(DOCKER);
    const { mediaType, layers } = (await response.json()) as Loose;
    expect(mediaType).toBe(DOCKER);
    const row = (kind: string, content: string | Uint8Array) => ({
      mediaType: `application/vnd.ollama.image.${kind}`,
      digest: `sha256:${createHash('sha256').update(content).digest('hex')}`,
      size: typeof content === 'string' ? utf8(content).length : content.length,
    });
    expect(layers).toEqual([
      row('model', MODEL),
      row('template', '{{ .Prompt }}'),
      row('params', '{"temperature":0.5}'),
      row('license', 'MIT'),
    ]);
  });

  test('gets a configuration that is made from the metadata of the file', async () => {
    const { config, layers } = (await (await manifest('tiny/manifests/latest')).json()) as Loose;
    const answer = await served.fetch(`/v2/acme/tiny/blobs/${config.digest}`);
    expect(await answer.json()).toEqual({
      model_format: 'gguf',
      model_family: 'llama',
      model_families: ['llama'],
      model_type: '1.6K',
      file_type: 'Q8_0',
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }: { digest: string }) => digest) },
    });
  });

  test('asks for a blob by HEAD, and takes its bytes from the place that GET names, in ranges', async () => {
    const { layers } = (await (await manifest('tiny/manifests/q8')).json()) as Loose;
    const path = `/v2/acme/tiny/blobs/${layers[0].digest}`;
    const head = await served.fetch(path, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(MODEL.length));
    const whole = await served.fetch(path);
    const place = new URL(whole.headers.get('location')!, served.url);
    await whole.body?.cancel();
    const range = { headers: { range: `bytes=4-${MODEL.length - 1}` } };
    const rest = await fetch(place, range);
    expect(rest.status).toBe(206);
    expect(new Uint8Array(await rest.arrayBuffer())).toEqual(MODEL.subarray(4));
  });

  test('of a release with two models, or none, says why not', async () => {
    for (const model of ['two/manifests/1', 'none/manifests/1']) {
      const response = await manifest(model);
      expect(response.status).toBe(404);
      const { errors } = (await response.json()) as { errors: { message: string }[] };
      expect(errors[0]!.message).toContain('exactly one GGUF file');
    }
  });

  test('clients of OCI get the same manifest as ever', async () => {
    for (const accept of ['*/*', `application/vnd.oci.image.manifest.v1+json, ${DOCKER}`]) {
      const response = await manifest('tiny/manifests/q8', accept);
      expect(response.headers.get('content-type')).toContain('vnd.oci.image.manifest');
    }
  });
});
