import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { replaceFile } from '../src/whole-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whole-file-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a file is made and replaced, with its own rights, and nothing is left beside it', async () => {
  const path = join(folder, 'kept');
  await writeFile(path, 'before', { mode: 0o644 });
  await replaceFile(path, 'after', 0o600);
  expect(await readFile(path, 'utf8')).toBe('after');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['kept']);
});

test('many at once leave one of them, whole', async () => {
  const path = join(folder, 'kept');
  const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(100_000));
  await Promise.all(texts.map((text) => replaceFile(path, text)));
  expect(texts).toContain(await readFile(path, 'utf8'));
  expect(await readdir(folder)).toEqual(['kept']);
});

test('what cannot be replaced stays, and nothing is left beside it', async () => {
  const path = join(folder, 'kept');
  await mkdir(join(path, 'full'), { recursive: true });
  await expect(replaceFile(path, 'after')).rejects.toThrow();
  expect(await readdir(folder)).toEqual(['kept']);
  expect(await readdir(path)).toEqual(['full']);
});
