/**
 * Servers, as processes, that are stopped and go on (SIGSTOP, SIGCONT) while they write one log
 * in one bucket: longer than any deadline of the others. `npm run test:s3`.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { writersLog, writeTogether } from '../../scripts/bench/many-writers.ts';
import { type Seaweedfs, startSeaweedfs } from '../../scripts/peers/seaweedfs.ts';
import { formatHex } from '../../src/core/bytes.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { openLogReader } from '../../src/log/reader.ts';
import { recover } from '../../src/log/recover.ts';
import { openBucket } from '../../src/store/s3.ts';
import { seeded } from '../made/schedule.ts';

jest.setTimeout(180_000);

const SEED = Number(process.env.WEIGHHOUSE_SEED ?? 1);
const WRITING_MS = 12_000;
/** How long one is stopped: three turns of the others. */
const STOPPED_MS = 1_500;

let folder: string;
let server: Seaweedfs;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-stopped-'));
  server = await startSeaweedfs(folder);
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

test('what they acknowledged is in the log exactly once, and the others did not wait for them', async () => {
  const draw = seeded(SEED);
  let stops = 0;
  const disturb = async (writers: readonly ChildProcess[]) => {
    const end = performance.now() + WRITING_MS - STOPPED_MS;
    while (performance.now() < end) {
      const writer = writers[draw(writers.length)]!;
      writer.kill('SIGSTOP');
      stops += 1;
      await sleep(STOPPED_MS);
      writer.kill('SIGCONT');
      await sleep(draw(400));
    }
  };
  const written = await writeTogether(server, [64, 64, 64], WRITING_MS, disturb);
  expect(stops).toBeGreaterThan(3);
  const acknowledged = written.reports.reduce((sum, { waits }) => sum + waits.length, 0);

  const store = openBucket(written.address, server);
  // As a server that starts: the lock, the tiles and the published checkpoint are one log.
  await recover(writersLog(store));
  const log = openLogReader(store, nodeHost);
  const { size } = await log.published();
  const entries = new Set<string>();
  for (let start = 0; start < size; start += 1024) {
    const some = await log.entries(start, Math.min(start + 1024, size));
    for (const entry of some) entries.add(formatHex(entry));
  }
  await store.close();
  expect(size).toBe(acknowledged);
  expect(entries.size).toBe(size);
  for (const { commits } of written.reports) expect(commits).toBeGreaterThan(3);
});
