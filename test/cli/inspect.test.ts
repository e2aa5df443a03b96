import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeGguf } from '../made/gguf.ts';
import { makeSafetensors } from '../made/safetensors.ts';
import { type Home, makeHome } from './command-line.ts';

let home: Home;
beforeEach(async () => {
  home = await makeHome();
  await mkdir(home.path('a'));
  await mkdir(home.path('b'));
});
afterEach(() => home.remove());

const weights = makeSafetensors({
  w: { dtype: 'F32', shape: [2, 3] },
  bias: { dtype: 'BF16', shape: [3] },
});

describe('inspect', () => {
  test('tells format, and name, dtype and shape of every tensor of a file', async () => {
    await writeFile(home.path('model.safetensors'), weights);
    const found = await home.json('inspect', home.path('model.safetensors'));
    expect(found).toMatchObject({
      format: 'safetensors',
      tensors: [
        { name: 'w', dtype: 'F32', shape: [2, 3] },
        { name: 'bias', dtype: 'BF16', shape: [3] },
      ],
    });
  });

  test('finds formats by content, whatever a file is called', async () => {
    await writeFile(home.path('a', 'weights.bin'), weights);
    const { format, files } = await home.json('inspect', home.path('a'));
    expect(format).toBe('safetensors');
    expect(files).toMatchObject([{ path: 'weights.bin', format: 'safetensors', tensors: 2 }]);
  });

  test('of a directory lists the files of a release, and leaves out what is never one', async () => {
    await writeFile(home.path('a', 'model.safetensors'), weights);
    await writeFile(home.path('a', 'config.json'), '{}');
    await mkdir(home.path('a', '.git'));
    await writeFile(home.path('a', '.git', 'HEAD'), 'x');
    const { format, files, tensors } = await home.json('inspect', home.path('a'));
    expect((files as { path: string }[]).map(({ path }) => path)).toEqual([
      'config.json',
      'model.safetensors',
    ]);
    expect(format).toBe('safetensors');
    expect(tensors).toHaveLength(2);
  });

  test('says "mixed" of several formats of weights', async () => {
    await writeFile(home.path('a', 'model.safetensors'), weights);
    await writeFile(home.path('a', 'model.gguf'), makeGguf({}));
    expect((await home.json('inspect', home.path('a'))).format).toBe('mixed');
  });

  test('looks through the links of which other clients’ caches consist', async () => {
    await writeFile(home.path('blob'), weights);
    await symlink(home.path('blob'), home.path('a', 'model.safetensors'));
    expect((await home.json('inspect', home.path('a'))).tensors).toHaveLength(2);
  });

  test('for people shows tables', async () => {
    await writeFile(home.path('a', 'model.safetensors'), weights);
    const { stdout } = await home.run('inspect', home.path('a'));
    expect(stdout).toMatch(/^tensors +2, with 9 parameters$/m);
    expect(stdout).toMatch(/^w +F32 +\[2, 3\] +24 B +model.safetensors$/m);
  });

  test('says which files run code when they are loaded', async () => {
    await writeFile(home.path('a', 'model.py'), 'print(1)\n');
    const ran = await home.run('inspect', home.path('a'));
    expect(ran.stdout).toMatch(/^runs code +model.py: Python code$/m);
    const { files } = await home.json('inspect', home.path('a'));
    expect(files).toMatchObject([{ executesCode: 'Python code' }]);
  });

  test('refuses broken weights with 20, and what is not there with 4', async () => {
    await writeFile(home.path('model.safetensors'), weights.subarray(0, weights.length - 1));
    expect((await home.run('inspect', home.path('model.safetensors'))).status).toBe(20);
    expect((await home.run('inspect', home.path('nothing'))).status).toBe(4);
  });
});

describe('diff', () => {
  const tensor = (start: number) => ({
    dtype: 'F32',
    shape: [4],
    bytes: Uint8Array.from({ length: 16 }, (_, i) => start + i),
  });
  const put = (path: string, tensors: Parameters<typeof makeSafetensors>[0]) =>
    writeFile(home.path(...path.split('/')), makeSafetensors(tensors));
  const diff = () => home.json('diff', home.path('a'), home.path('b'));

  test('finds added, removed and changed tensors by dtype, shape and bytes', async () => {
    await put('a/m.safetensors', {
      same: tensor(0),
      values: tensor(1),
      shape: tensor(2),
      gone: tensor(3),
    });
    await put('b/m.safetensors', {
      same: tensor(0),
      values: tensor(9),
      shape: { ...tensor(2), shape: [2, 2] },
      fresh: tensor(4),
    });
    expect(await diff()).toEqual({
      added: [{ kind: 'tensor', name: 'fresh', what: 'F32 [4]' }],
      removed: [{ kind: 'tensor', name: 'gone', what: 'F32 [4]' }],
      changed: [
        { kind: 'tensor', name: 'values', what: 'F32 [4]: other values' },
        { kind: 'tensor', name: 'shape', what: 'F32 [4] → F32 [2, 2]' },
      ],
    });
  });

  test('finds no difference where there is none', async () => {
    await put('a/m.safetensors', { w: tensor(0) });
    await put('b/m.safetensors', { w: tensor(0) });
    expect(await diff()).toEqual({ added: [], removed: [], changed: [] });
    const { stdout } = await home.run('diff', home.path('a'), home.path('b'));
    expect(stdout).toBe('no difference\n');
  });

  test('a tensor that moved to another file is the same tensor', async () => {
    await put('a/m.safetensors', { v: tensor(0), w: tensor(1) });
    await put('b/m.safetensors', { v: tensor(0) });
    await put('b/n.safetensors', { w: tensor(1) });
    const { added, removed, changed } = await diff();
    expect({ removed, added }).toEqual({
      removed: [],
      added: [expect.objectContaining({ kind: 'file', name: 'n.safetensors' })],
    });
    expect(changed).toEqual([expect.objectContaining({ kind: 'file', name: 'm.safetensors' })]);
  });

  test('finds files by their bytes, and a header that changed under the same tensors', async () => {
    await put('a/m.safetensors', { w: tensor(0) });
    await writeFile(
      home.path('b', 'm.safetensors'),
      makeSafetensors({ w: tensor(0) }, { licence: 'other' }),
    );
    await writeFile(home.path('a', 'config.json'), '{"a":1}');
    await writeFile(home.path('b', 'config.json'), '{"a":2}');
    const { changed } = await diff();
    expect(changed).toEqual([
      expect.objectContaining({ kind: 'file', name: 'config.json' }),
      expect.objectContaining({ kind: 'file', name: 'm.safetensors' }),
    ]);
  });

  test('compares two files as what they hold, not by what they are called', async () => {
    await put('a/one.safetensors', { w: tensor(0) });
    await put('b/two.safetensors', { w: tensor(0) });
    const found = await home.json(
      'diff',
      home.path('a', 'one.safetensors'),
      home.path('b', 'two.safetensors'),
    );
    expect(found).toEqual({ added: [], removed: [], changed: [] });
  });

  test('a path that is not there is not taken for a reference', async () => {
    const { status, stderr } = await home.run('diff', home.path('a'), './nothing');
    expect(status).toBe(4);
    expect(stderr).toContain('./nothing');
  });
});
