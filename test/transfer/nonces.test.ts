import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { parseOrigin } from '../../src/core/log/checkpoint.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { type Nonces, noncesIn, type Recipient } from '../../src/transfer/nonces.ts';
import { nonceOf } from '../made/live-registry.ts';

const RELEASE = parseReleaseName('acme/tiny@v1');
const REGISTRY: Recipient = {
  origin: parseOrigin('one.test'),
  url: parseRegistryUrl('http://one.test'),
};

let folder: string;
let nonces: Nonces;
let made: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-nonces-'));
  made = 0;
  nonces = noncesIn(folder, () => nonceOf(made++));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a nonce', () => {
  test('is the same each time it is asked for, also by another process', async () => {
    const nonce = await nonces.nonceOf(REGISTRY, RELEASE, 1);
    expect(await nonces.nonceOf(REGISTRY, RELEASE, 1)).toBe(nonce);
    const later = noncesIn(folder, () => 'ff'.repeat(32));
    expect(await later.nonceOf(REGISTRY, RELEASE, 1)).toBe(nonce);
  });

  test('is another one for each revision, release, registry and address', async () => {
    const others: [Recipient, string, number][] = [
      [REGISTRY, 'acme/tiny@v1', 1],
      [REGISTRY, 'acme/tiny@v1', 2],
      [REGISTRY, 'acme/tiny@v2', 1],
      [{ ...REGISTRY, origin: parseOrigin('other.test') }, 'acme/tiny@v1', 2],
      [{ ...REGISTRY, url: parseRegistryUrl('http://other.test') }, 'acme/tiny@v1', 2],
    ];
    for (const [registry, release, revision] of others) {
      await nonces.nonceOf(registry, parseReleaseName(release), revision);
    }
    expect(made).toBe(others.length);
  });

  test('that was damaged is made anew', async () => {
    await nonces.nonceOf(REGISTRY, RELEASE, 1);
    const [name] = await readdir(join(folder, 'one.test'));
    await writeFile(join(folder, 'one.test', name!), '{}');
    expect(await nonces.nonceOf(REGISTRY, RELEASE, 1)).toBe(nonceOf(1));
  });
});
