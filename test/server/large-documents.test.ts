import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Digest, digestHex, digestOf } from '../../src/core/digest.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { MAX_IN_MEMORY_BYTES } from '../../src/server/api/releases.ts';
import { makeSafetensors } from '../made/safetensors.ts';
import { Served } from '../made/served.ts';

/** Enough tensors for an inventory that is not read into memory. */
const TENSORS = 6_500;
const INVENTORY = '/api/v1/releases/acme/tiny/v1/tensors.json';

let served: Served;
let size: number;
let sha256: Digest;

beforeAll(async () => {
  served = await Served.start();
  const tensors = Array.from({ length: TENSORS }, (_, i) => [
    `model.layers.${i}.weight`,
    { dtype: 'U8', shape: [1], bytes: Uint8Array.of(i & 255) },
  ]);
  const weights = makeSafetensors(Object.fromEntries(tensors));
  await served.publish('acme/tiny@v1', { 'model.safetensors': weights });
  const manifest = await served.fetch('/api/v1/releases/acme/tiny/v1/manifest.json');
  ({ size, sha256 } = ((await manifest.json()) as Manifest).tensors);
}, 60_000);
afterAll(() => served.stop());

interface Manifest {
  readonly tensors: { readonly size: number; readonly sha256: Digest };
}

describe('a document that is too large to be read into memory for everybody', () => {
  test('is sent as it was published, with its length and type', async () => {
    expect(size).toBeGreaterThan(MAX_IN_MEMORY_BYTES);
    const response = await served.fetch(INVENTORY);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('content-length')).toBe(String(size));
    expect(response.headers.get('content-disposition')).toBeNull();
    expect(response.headers.get('cache-control')).toContain('immutable');
    expect(digestOf(nodeHost, await response.bytes())).toBe(sha256);
  });

  test('can be asked for in part, and for its head alone', async () => {
    const whole = await (await served.fetch(INVENTORY)).bytes();
    const part = await served.fetch(INVENTORY, { headers: { range: 'bytes=100-199' } });
    expect(part.status).toBe(206);
    expect(await part.bytes()).toEqual(whole.slice(100, 200));
    const head = await served.fetch(INVENTORY, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(size));
  });

  test('is not sent once the store has damaged it', async () => {
    const path = join(served.folder, 'store/objects/statements/sha256', digestHex(sha256));
    const whole = await (await served.fetch(INVENTORY)).bytes();
    await writeFile(path, whole.with(500, whole[500]! ^ 1));
    expect((await served.fetch(INVENTORY)).status).toBe(500);
    await writeFile(path, whole);
  });
});
