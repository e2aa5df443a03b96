/** The main job with a bucket for a store: the real command line, a real S3 server. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { makeSafetensors } from '../made/safetensors.ts';
import { BucketHome } from './bucket-home.ts';

jest.setTimeout(120_000);

const RELEASE = 'demo/tiny@1.0';

let home: BucketHome;

beforeAll(async () => {
  home = await BucketHome.make('registry');
});

afterAll(() => home?.remove());

describe('a registry in a bucket', () => {
  test('publishes, survives a kill, and is pulled, verified and audited', async () => {
    const weights = makeSafetensors({ w: { dtype: 'F32', shape: [1024, 64] } });
    await mkdir(join(home.path, 'model'));
    await writeFile(join(home.path, 'model/model.safetensors'), weights);

    const first = await home.serve();
    const { digest } = await home.ask('push', 'model', RELEASE, '--url', first.bound);
    const publish = ['publish', RELEASE, '--digest', String(digest), '--url'];
    const published = await home.ask(...publish, first.bound);
    await home.stop(first.process, 'SIGKILL');

    const { bound: url, process } = await home.serve();
    await home.ask('trust', 'add', url, '--fingerprint', home.fingerprint);
    expect(await home.ask(...publish, url)).toMatchObject({ index: published.index });
    const { index } = published;
    expect(await home.ask('pull', RELEASE, 'pulled', '--url', url)).toMatchObject({
      digest,
      index,
    });
    expect(await home.ask('verify', 'pulled', '--full')).toMatchObject({ ok: true, digest });
    const pulled = await readFile(join(home.path, 'pulled/model.safetensors'));
    expect(new Uint8Array(pulled)).toEqual(weights);
    const audited = { ok: true, releases: 1, violations: [] };
    expect(await home.ask('audit', url)).toMatchObject(audited);
    expect(await home.ask('audit', url, '--content')).toMatchObject(audited);
    await home.stop(process);
  });

  test('is not made a second time in the same place', async () => {
    const keys = ['--keys', 'other', '--root-key', 'off/2.key', '--no-passphrase'];
    const names = ['--origin', 'other.example'];
    const { status, stderr } = await home.run('init', '--store', home.store, ...names, ...keys);
    expect(status).not.toBe(0);
    expect(stderr).toContain('holds a registry already');
  });
});
