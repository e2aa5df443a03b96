/**
 * The nonce of a draft keeps its digest from being guessed. A publisher who pushes one model
 * to two registries must not tell the one, or the readers of what it publishes, the nonce of
 * the draft that the other still holds.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Api } from '../../src/client/api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { parseManifest } from '../../src/core/release/manifest.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { noncesIn } from '../../src/transfer/nonces.ts';
import { push } from '../../src/transfer/push.ts';
import { nonceOf } from '../made/live-registry.ts';
import { Served } from '../made/served.ts';

const pool = new HashingPool({ threads: 1 });
let folder: string;
let one: Served;
let other: Served;
let made = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-nonces-'));
  await mkdir(join(folder, 'model'));
  await writeFile(join(folder, 'model', 'config.json'), '{}');
  one = await Served.start({ origin: 'one.test' });
  other = await Served.start({ origin: 'other.test' });
});
afterAll(async () => {
  await one.stop();
  await other.stop();
  await pool.close();
  await rm(folder, { recursive: true, force: true });
});

/** Pushes, and tells what nonce the registry was given. */
async function nonceFor(served: Served, reference: string, fetchWith = fetch): Promise<string> {
  const url = parseRegistryUrl(served.url);
  const api = new Api({ url, token: served.publisher, fetch: fetchWith });
  const nonces = noncesIn(join(folder, 'nonces'), () => nonceOf(made++));
  const release = parseReleaseName(reference);
  await push({ host: nodeHost, api, pool, nonces }, join(folder, 'model'), release);
  return parseManifest(await api.draftManifest(release)).draft.nonce;
}

test('no registry is given the nonce that another one was given for the same release', async () => {
  const first = await nonceFor(one, 'acme/tiny@v1');
  expect(await nonceFor(other, 'acme/tiny@v1')).not.toBe(first);
});

test('nor is one that goes by the other’s name', async () => {
  const lying: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (!String(input).endsWith('/config.json')) return response;
    return new Response((await response.text()).replace('other.test', 'one.test'));
  };
  const first = await nonceFor(one, 'acme/tiny@v2');
  expect(await nonceFor(other, 'acme/tiny@v2', lying)).not.toBe(first);
});
