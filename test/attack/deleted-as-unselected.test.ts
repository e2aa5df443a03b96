/**
 * Which files a pull selected is said by `.weighhouse/release.json`, which nobody signed.
 * Whoever may write to the folder can delete a file of the release and take it off that list.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Reader } from '../../src/client/release.ts';
import { utf8 } from '../../src/core/bytes.ts';
import { formatCanonical, parseJson } from '../../src/core/json.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { pull } from '../../src/transfer/pull.ts';
import { verifyFolder } from '../../src/transfer/verify.ts';
import { pinnedReader } from '../made/reader.ts';
import { ServedRegistry } from '../made/served-registry.ts';

const FILES = { 'config.json': utf8('{}'), 'safety.json': utf8('[]'), 'w.bin': utf8('weights') };

const pool = new HashingPool({ threads: 1 });
let served: ServedRegistry;
let reader: Reader;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-deleted-'));
  served = await ServedRegistry.start();
  served.publish('acme/tiny@v1', FILES);
  reader = await pinnedReader(served);
  await pull(reader, pool, parseReference('acme/tiny'), folder);
});
afterEach(async () => {
  await served.close();
  await rm(folder, { recursive: true, force: true });
});
afterAll(() => pool.close());

/** Leaves these files alone, and writes that only they were selected. */
async function deleteAllBut(...selected: string[]): Promise<void> {
  const summary = join(folder, '.weighhouse', 'release.json');
  const written = parseJson(await readFile(summary), 'the summary') as object;
  await writeFile(summary, formatCanonical({ ...written, selected }));
  const deleted = Object.keys(FILES).filter((path) => !selected.includes(path));
  for (const path of deleted) await rm(join(folder, path));
}

const verify = () => verifyFolder({ host: nodeHost, pins: reader.pins, pool }, folder);

test('a folder that lacks files is never said to hold the whole release', async () => {
  expect(await verify()).toMatchObject({ ok: true, files: 3, total: 3, partial: false });
  await deleteAllBut('config.json', 'w.bin');
  const verdict = await verify();
  expect(verdict).toMatchObject({ ok: true, files: 2, total: 3, partial: true });
  expect(verdict.ok && verdict.checks.at(-1)).toMatch(
    /^1 of 3 need not be there, .*nobody signed$/,
  );
});

test('a folder from which everything was deleted is refused', async () => {
  await deleteAllBut();
  expect(await verify()).toMatchObject({ ok: false, code: 'digest-mismatch' });
});
