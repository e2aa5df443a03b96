import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeFolder } from '../src/folders.ts';

let parent: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'weighhouse-folders-'));
});
afterAll(() => rm(parent, { recursive: true, force: true }));

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe('a folder', () => {
  test('is made with those above it, in the mode that is asked for', async () => {
    await makeFolder(join(parent, 'a', 'b', 'c'), 0o700);
    expect(await modeOf(join(parent, 'a'))).toBe(0o700);
    expect(await modeOf(join(parent, 'a', 'b', 'c'))).toBe(0o700);
  });

  test('that is there is left as it is, also behind a link', async () => {
    await makeFolder(join(parent, 'there'), 0o750);
    await symlink('there', join(parent, 'link'));
    await makeFolder(join(parent, 'there'), 0o700);
    await makeFolder(join(parent, 'link'));
    expect(await modeOf(join(parent, 'there'))).toBe(0o750);
  });

  test('is made once by many who want it', async () => {
    await Promise.all(Array.from({ length: 20 }, () => makeFolder(join(parent, 'many', 'deep'))));
    expect((await stat(join(parent, 'many', 'deep'))).isDirectory()).toBe(true);
  });

  test('cannot be made where a file is, nor below one', async () => {
    await writeFile(join(parent, 'file'), '');
    await expect(makeFolder(join(parent, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeFolder(join(parent, 'file', 'x'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  (existsSync('/proc/self') ? test : test.skip)(
    'cannot be made in one that takes none: that ends',
    async () => {
      await expect(makeFolder('/proc/nope')).rejects.toMatchObject({ code: 'ENOENT' });
      await expect(makeFolder('/proc/nope/deeper')).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );
});
