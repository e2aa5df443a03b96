import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { type LastSeen, openLastSeen } from '../../src/log/last-seen.ts';

let folder: string;
let path: string;
let failures: unknown[];
let lastSeen: LastSeen;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-seen-'));
  path = join(folder, 'state', 'log.checkpoint');
  failures = [];
  lastSeen = openLastSeen(path, (cause) => failures.push(cause));
});
afterEach(() => rm(folder, { recursive: true }));

describe('what a node has seen last', () => {
  test('is nothing at first, then what was saved last, also for the next process', async () => {
    expect(await lastSeen.load()).toBeUndefined();
    for (const text of ['one', 'two', 'three']) lastSeen.save(utf8(text));
    await lastSeen.settle();
    expect(await lastSeen.load()).toEqual(utf8('three'));
    expect(await openLastSeen(path, () => {}).load()).toEqual(utf8('three'));
    expect(await readdir(join(folder, 'state'))).toEqual(['log.checkpoint']);
  });

  test('is written again after it was written', async () => {
    lastSeen.save(utf8('one'));
    await lastSeen.settle();
    lastSeen.save(utf8('two'));
    await lastSeen.settle();
    expect(await readFile(path, 'utf8')).toBe('two');
  });

  test('that cannot be written is told, and stops nothing', async () => {
    await mkdir(path, { recursive: true });
    lastSeen.save(utf8('one'));
    await lastSeen.settle();
    expect(failures).toHaveLength(1);
  });

  test('that is there and cannot be read is not taken for nothing', async () => {
    await mkdir(path, { recursive: true });
    await expect(lastSeen.load()).rejects.toThrowWithCode('storage');
  });
});
