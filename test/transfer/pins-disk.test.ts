import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Pin } from '../../src/client/pins.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { parseDigest } from '../../src/core/digest.ts';
import { parseOrigin } from '../../src/core/log/checkpoint.ts';
import { DiskPins } from '../../src/transfer/pins-disk.ts';
import { MadeRegistry } from '../made/registry.ts';

const ORIGIN = parseOrigin('models.example.org');
const PIN: Pin = {
  origin: ORIGIN,
  fingerprint: parseDigest(`sha256:${'ab'.repeat(32)}`),
  urls: ['https://models.example.org'],
};
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-pins-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('what was saved is there for the next process, and for nobody else', async () => {
  const pins = new DiskPins(join(folder, 'registries'));
  expect(await pins.pins()).toEqual([]);
  await pins.savePin(PIN);
  await pins.saveRoot(ORIGIN, 1, utf8('one'));
  await pins.saveRoot(ORIGIN, 2, utf8('two'));
  const next = new DiskPins(join(folder, 'registries'));
  expect(await next.pins()).toEqual([PIN]);
  expect(await next.roots(ORIGIN)).toEqual([utf8('one'), utf8('two')]);
  const { mode } = await stat(join(folder, 'registries', ORIGIN));
  expect(mode & 0o077).toBe(0);
});

test('what was seen only goes forwards', async () => {
  const made = new MadeRegistry();
  made.namespace('acme');
  const small = made.checkpoint();
  made.heads();
  const large = made.checkpoint();
  const pins = new DiskPins(folder);
  const time = '2026-01-01T00:00:00.000Z';
  await pins.saveSeen(ORIGIN, { checkpoint: large, heads: { index: 5, time } });
  await pins.saveSeen(ORIGIN, { checkpoint: small, heads: { index: 3, time } });
  expect(await pins.seen(ORIGIN)).toEqual({ checkpoint: large, heads: { index: 5, time } });
  await pins.saveSeen(ORIGIN, { checkpoint: large, heads: { index: 7, time } });
  expect((await pins.seen(ORIGIN))?.heads?.index).toBe(7);
});

test('strange folders are walked past, and a damaged pin is refused', async () => {
  const pins = new DiskPins(folder);
  await mkdir(join(folder, '.DS_Store'));
  await pins.savePin(PIN);
  expect(await pins.pins()).toEqual([PIN]);
  await writeFile(join(folder, ORIGIN, 'pin.json'), '{}');
  await expect(pins.pins()).rejects.toThrowWithCode('bad-document');
});

test('no temporary file is left', async () => {
  const pins = new DiskPins(folder);
  await Promise.all([1, 2, 3].map(() => pins.savePin(PIN)));
  expect(await readdir(join(folder, ORIGIN))).toEqual(['pin.json']);
});
