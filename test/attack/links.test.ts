/** Links (oras-go CVE-2026-50163): nothing is read through one on push, and nothing written through one on pull. */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseReference } from '../../src/core/release/name.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { pull } from '../../src/transfer/pull.ts';
import { makeHome } from '../cli/command-line.ts';
import { usePinned } from '../made/pinned.ts';
import { refused } from '../made/refused.ts';

const pinned = usePinned();
const pool = new HashingPool({ threads: 1 });
const TINY = parseReference('acme/tiny@v1');
let folder: string;
let outside: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-links-'));
  outside = await mkdtemp(join(tmpdir(), 'weighhouse-outside-'));
});
afterEach(async () => {
  for (const each of [folder, outside]) await rm(each, { recursive: true, force: true });
});
afterAll(() => pool.close());

test.each(['.weighhouse', '.weighhouse/partial'])(
  'a pull does not follow a link that lies at %s',
  async (path) => {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await symlink(outside, join(folder, path));
    await refused(pull(pinned().reader, pool, TINY, folder), 'bad-path', /link/);
    expect(await readdir(outside)).toEqual([]);
  },
);

test('a file’s name that is a link elsewhere is replaced or refused, never written through', async () => {
  await writeFile(join(outside, 'victim'), 'precious');
  await symlink(join(outside, 'victim'), join(folder, 'config.json'));
  await pull(pinned().reader, pool, TINY, folder).catch(() => {});
  expect(await readFile(join(outside, 'victim'), 'utf8')).toBe('precious');
});

test('a push sends nothing that lies behind a link', async () => {
  const home = await makeHome();
  await writeFile(join(folder, 'config.json'), '{}');
  await writeFile(join(outside, 'secret'), 'secret');
  await symlink(join(outside, 'secret'), join(folder, 'model.bin'));
  const { status, stderr } = await home.run('push', folder, 'acme/tiny@v1', '--dry-run');
  expect([status, stderr]).toEqual([20, expect.stringContaining('model.bin')]);
  expect(stderr).toContain('link');
  await home.remove();
});
