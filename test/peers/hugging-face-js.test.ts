/** Hugging Face's client for JavaScript, which browsers run, too. */

import * as hub from '@huggingface/hub';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeSafetensors } from '../made/safetensors.ts';
import { Served } from '../made/served.ts';

const WEIGHTS = makeSafetensors({ w: { dtype: 'F32', shape: [3, 5] } });
const repo = 'acme/tiny';

let served: Served;
let digest: string;
let at: { hubUrl: string };

beforeAll(async () => {
  served = await Served.start();
  at = { hubUrl: served.url };
  const files = { 'README.md': '# Tiny\n', 'onnx/deep/w.safetensors': WEIGHTS };
  ({ digest } = await served.publish('acme/tiny@v1', files));
}, 30_000);
afterAll(() => served.stop());

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('@huggingface/hub', () => {
  test('reads what the model is', async () => {
    const info = await hub.modelInfo({
      ...at,
      name: repo,
      additionalFields: ['sha', 'safetensors'],
    });
    expect(info).toMatchObject({ name: repo, private: false, sha: digest.slice(7, 47) });
    expect(info.safetensors).toMatchObject({ total: 15 });
  });

  test('lists models and files', async () => {
    const models = await all(hub.listModels({ ...at, search: { query: 'tiny' } }));
    expect(models.map(({ name }) => name)).toEqual([repo]);
    const files = await all(hub.listFiles({ ...at, repo, recursive: true }));
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual([
      'README.md',
      'model.sig',
      'onnx',
      'onnx/deep',
      'onnx/deep/w.safetensors',
    ]);
  });

  test('downloads a file, whole and in part', async () => {
    const path = 'onnx/deep/w.safetensors';
    const blob = await hub.downloadFile({ ...at, repo, path });
    expect(new Uint8Array(await blob!.arrayBuffer())).toEqual(WEIGHTS);
    const part = await blob!.slice(8, 20).arrayBuffer();
    expect(new Uint8Array(part)).toEqual(WEIGHTS.slice(8, 20));
    expect(await hub.downloadFile({ ...at, repo, path: 'none' })).toBeNull();
  });

  test('asks about single paths', async () => {
    expect(await hub.fileExists({ ...at, repo, path: 'README.md' })).toBe(true);
    expect(await hub.fileExists({ ...at, repo, path: 'none' })).toBe(false);
    const infos = await hub.pathsInfo({ ...at, repo, paths: ['README.md', 'none'] });
    expect(infos).toMatchObject([{ path: 'README.md', size: 7 }]);
  });
});
