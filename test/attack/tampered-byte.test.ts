/**
 * One byte changed on the way to a client, in whatever document, at whatever place: the pull
 * is refused and leaves no file. (test/client/audit and test/transfer/verify do the same to
 * an audit and to a folder.)
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryPins } from '../../src/client/pins.ts';
import type { Reader } from '../../src/client/release.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { isCoded } from '../../src/core/error.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { type PullOptions, pull } from '../../src/transfer/pull.ts';
import { flipped } from '../made/audited.ts';
import { noise } from '../made/noise.ts';
import { pinnedReader } from '../made/reader.ts';
import { ServedRegistry } from '../made/served-registry.ts';

const MIB = 2 ** 20;
const CHUNK = 8 * MIB;
/** Places in each document, from its first byte to its last. */
const PLACES = 5;
const NEWEST = parseReference('acme/tiny');

const pool = new HashingPool({ threads: 1 });
let served: ServedRegistry;
let parent: string;
let pulls = 0;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'weighhouse-tampered-'));
  served = await ServedRegistry.start();
  served.publish('acme/tiny@v1', { 'config.json': utf8('{}') });
  served.made.advise('acme/tiny@v1', 'security', 'Prompt injection.');
  served.heads();
  served.publish('acme/tiny@v2', { 'w.bin': noise(1, CHUNK + 1) });
  // What was signed by the last root of two is all that counts.
  served.addRoot();
});
afterEach(async () => {
  await served.close();
  await rm(parent, { recursive: true, force: true });
});
afterAll(() => pool.close());

/** A pull of the newest release by somebody who has pinned the registry and seen nothing yet. */
async function pullAfresh(options: PullOptions = {}): Promise<unknown> {
  const reader: Reader = await pinnedReader(served, new MemoryPins());
  const folder = join(parent, String(pulls++));
  const outcome = await pull(reader, pool, NEWEST, folder, options).catch(
    (error: unknown) => error,
  );
  if (!isCoded(outcome)) return outcome;
  const left = (await readdir(folder).catch(() => [])).filter((name) => name !== '.weighhouse');
  expect([outcome.message, left]).toEqual([outcome.message, []]);
  return outcome;
}

describe('a pull', () => {
  test('is refused with one byte changed in any document that it reads', async () => {
    const lengths = new Map<string, number>();
    served.tamper = (path, bytes) => lengths.set(path, bytes.length) && bytes;
    expect(await pullAfresh()).toMatchObject({ reference: 'acme/tiny@v2' });
    // Where the registry is, is in no way believed.
    lengths.delete('/.well-known/weighhouse/config.json');
    const kinds = [...lengths.keys()].join('\n');
    for (const kind of [
      'root/2.json',
      '/head',
      'checkpoint',
      'tile/entries/',
      'tile/0/',
      'manifest.json',
      'model.sig',
      'release.dsse',
      'release.tlog-proof',
      'model-sig.tlog-proof',
      '/entry',
      'chunks/w.bin',
    ]) {
      expect(kinds).toContain(kind);
    }
    for (const [path, length] of lengths) {
      for (let i = 0; i < PLACES; i++) {
        const at = Math.floor(((length - 1) * i) / (PLACES - 1));
        served.tamper = (asked, bytes) => (asked === path ? flipped(bytes, at) : bytes);
        // Documents are read before anything is fetched: a dry run reads the same.
        const outcome = await pullAfresh({ dryRun: true });
        expect([path, at, isCoded(outcome)]).toEqual([path, at, true]);
      }
    }
  }, 60_000);

  test.each([0, CHUNK - 1, CHUNK])('is refused with byte %i of the content changed', async (at) => {
    served.spoil = (_, response, { bytes, start, size }) => {
      const wrong = bytes.slice();
      if (at >= start && at < start + bytes.length) wrong[at - start]! ^= 1;
      const range = `bytes ${start}-${start + bytes.length - 1}/${size}`;
      response.writeHead(206, { 'content-length': wrong.length, 'content-range': range });
      response.end(wrong);
      return true;
    };
    expect(await pullAfresh()).toMatchObject({ code: 'digest-mismatch' });
  });
});
