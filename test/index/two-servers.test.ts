/** What one server has acknowledged, the others know: their reads at once, their indexes soon. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { nodeHost } from '../../src/hashing/host.ts';
import { openCatalogue } from '../../src/index/open.ts';
import { openLogReader } from '../../src/log/reader.ts';
import { emptyLog, entry, sequence } from '../made/log.ts';
import type { Disk } from '../made/memory-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'weighhouse-two-servers-'));
afterAll(() => rmSync(directory, { recursive: true }));

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** The index of a server that reads `disk`, and how often it has asked for anything. */
async function follow(disk: Disk, every: number) {
  const asked: string[] = [];
  const store = disk.open({
    turns: ({ key }) => {
      asked.push(key);
      return 0;
    },
  });
  const log = openLogReader(store, nodeHost);
  const path = join(directory, `${every}-${Math.random()}.sqlite`);
  const catalogue = await openCatalogue(path, log, async () => undefined, { every });
  return { catalogue, asked, log };
}

test('an append that one server has answered is read by another at once, and indexed within two looks', async () => {
  const disk = await emptyLog();
  const writer = await sequence(disk.open());
  const { catalogue, asked, log } = await follow(disk, 20);
  for (let i = 0; i < 20; i++) {
    const { index, published } = await writer.append({ entries: [entry(i)] });
    asked.splice(0);
    expect(published).toBe(true);
    expect(await log.entry(index)).toEqual(entry(i));
    const reads = asked.filter((key) => key === 'log/checkpoint').length;
    asked.splice(0);
    while (catalogue.size() <= index) await turn();
    const looks = asked.filter((key) => key === 'log/checkpoint').length;
    expect([reads, looks]).toEqual([1, expect.any(Number)]);
    expect(looks).toBeLessThanOrEqual(2);
  }
  catalogue.close();
  await writer.close();
});

test('an index that has nothing to add asks for one small object each time it looks', async () => {
  const disk = await emptyLog();
  const writer = await sequence(disk.open());
  await writer.append({ entries: [entry(0)] });
  await writer.close();
  const { catalogue, asked } = await follow(disk, 0);
  asked.splice(0);
  for (let look = 0; look < 5; look++) await catalogue.catchUp();
  expect(asked).toEqual(Array(5).fill('log/checkpoint'));
  expect(disk.bytes('log/checkpoint').length).toBeLessThan(1024);
  catalogue.close();
});
