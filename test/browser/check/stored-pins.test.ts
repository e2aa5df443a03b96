import { beforeEach, expect, test } from '@jest/globals';
import { StoredPins } from '../../../src/browser/check/stored-pins.ts';
import type { Pin } from '../../../src/client/pins.ts';
import { utf8 } from '../../../src/core/bytes.ts';
import { parseDigest } from '../../../src/core/digest.ts';
import { parseOrigin } from '../../../src/core/log/checkpoint.ts';
import { MadeRegistry } from '../../made/registry.ts';
import { MadeStorage } from '../../made/text-storage.ts';

const ORIGIN = parseOrigin('models.example.org');
const PIN: Pin = {
  origin: ORIGIN,
  fingerprint: parseDigest(`sha256:${'ab'.repeat(32)}`),
  urls: ['https://models.example.org'],
};
const NOW = Date.parse('2026-02-01T12:00:00.000Z');

let storage: MadeStorage;
/** A page that was just opened. */
const open = (now = NOW) => new StoredPins(storage, () => now);

beforeEach(() => {
  storage = new MadeStorage();
});

test('what was saved is there for the next page', async () => {
  const pins = open();
  expect(await pins.pins()).toEqual([]);
  expect(await pins.seen(ORIGIN)).toBeUndefined();
  await pins.savePin(PIN);
  await pins.saveRoot(ORIGIN, 1, utf8('one'));
  await pins.saveRoot(ORIGIN, 2, utf8('two'));
  expect(await open().pins()).toEqual([PIN]);
  expect(await open().pin(ORIGIN)).toEqual(PIN);
  expect(await open().roots(ORIGIN)).toEqual([utf8('one'), utf8('two')]);
});

test('a registry is remembered since it was pinned for the first time', async () => {
  expect(await open().since(ORIGIN)).toBeUndefined();
  await open().savePin(PIN);
  await open(NOW + 1000).savePin({ ...PIN, urls: [] });
  expect(await open().since(ORIGIN)).toBe('2026-02-01T12:00:00.000Z');
  expect((await open().pin(ORIGIN))?.urls).toEqual([]);
});

test('what was seen only goes forwards', async () => {
  const made = new MadeRegistry();
  made.namespace('acme');
  const small = made.checkpoint();
  made.heads();
  const large = made.checkpoint();
  const time = '2026-01-01T00:00:00.000Z';
  await open().saveSeen(ORIGIN, { checkpoint: large, heads: { index: 5, time } });
  await open().saveSeen(ORIGIN, { checkpoint: small, heads: { index: 3, time } });
  expect(await open().seen(ORIGIN)).toEqual({ checkpoint: large, heads: { index: 5, time } });
  await open().saveSeen(ORIGIN, { checkpoint: large });
  expect((await open().seen(ORIGIN))?.heads?.index).toBe(5);
});

test('what others keep there is walked past, and a damaged pin is no first visit', async () => {
  storage.setItem('theme', 'dark');
  await open().savePin(PIN);
  expect(await open().pins()).toEqual([PIN]);
  storage.setItem(`weighhouse:${ORIGIN}:pin`, '{}');
  await expect(open().pins()).rejects.toThrowWithCode('bad-document');
});

test('a full storage is said, and nothing is believed to be kept', async () => {
  storage.full = true;
  await expect(open().savePin(PIN)).rejects.toThrowWithCode('disk-full');
});
