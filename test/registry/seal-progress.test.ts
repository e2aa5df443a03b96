/** What servers tell one another of their seals: two processes on one disk, each with a clock of its own. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { nodeHost } from '../../src/hashing/host.ts';
import type { RegistryParts } from '../../src/registry/parts.ts';
import { SealProgress, SILENT_MS } from '../../src/registry/seal-progress.ts';
import { nonceOf, RELEASE } from '../made/live-registry.ts';
import { Disk } from '../made/memory-store.ts';

const REQUEST = { nonce: nonceOf(1), paths: ['b', 'a'] };
const OTHER = { nonce: nonceOf(2), paths: ['b', 'a'] };

/** A server, whose clock stands still until it is moved. */
function server(disk: Disk) {
  const clock = { now: 0 };
  const random = () => new Uint8Array(randomBytes(32));
  const parts = { store: disk.open(), host: nodeHost, random } as unknown as RegistryParts;
  return { clock, progress: new SealProgress(parts, () => clock.now) };
}

/** A seal that `it` runs, with 10 of 100 bytes done. */
async function seal(it: ReturnType<typeof server>, request = REQUEST) {
  let lost = 0;
  const progress = { bytes: 10, total: 100 };
  const telling = await it.progress.tell(RELEASE, { request, progress }, () => lost++);
  return { telling, progress, lost: () => lost };
}

describe('a seal on another server', () => {
  test('is seen with its progress, and known for what was asked for', async () => {
    const disk = new Disk();
    const [ours, theirs] = [server(disk), server(disk)];
    const { telling, progress } = await seal(ours);
    expect(await theirs.progress.elsewhere(RELEASE)).toBeUndefined();
    await telling.note();
    const seen = await theirs.progress.elsewhere(RELEASE);
    expect(seen?.seal).toEqual({ running: true, bytes: 10, total: 100 });
    expect(theirs.progress.isSame(seen!.request, { ...REQUEST, paths: ['a', 'b'] })).toBe(true);
    expect(theirs.progress.isSame(seen!.request, OTHER)).toBe(false);
    const source = { url: 'https://hub.example/acme/tiny', revision: 'ab'.repeat(20) };
    expect(theirs.progress.isSame(seen!.request, { ...REQUEST, source })).toBe(false);
    progress.bytes = 60;
    await telling.note();
    expect((await theirs.progress.elsewhere(RELEASE))?.seal).toMatchObject({ bytes: 60 });
    await telling.end();
    expect(await theirs.progress.elsewhere(RELEASE)).toBeUndefined();
    expect(disk.objects.size).toBe(0);
  });

  test('that falls silent counts as gone, by the watcher’s own clock, and not a moment earlier', async () => {
    const disk = new Disk();
    const [ours, theirs] = [server(disk), server(disk)];
    const { telling } = await seal(ours);
    await telling.note();
    theirs.clock.now = 1_000_000;
    expect(await theirs.progress.elsewhere(RELEASE)).toBeDefined();
    theirs.clock.now += SILENT_MS;
    expect(await theirs.progress.elsewhere(RELEASE)).toBeDefined();
    await telling.note();
    theirs.clock.now += 1;
    expect(await theirs.progress.elsewhere(RELEASE)).toBeDefined();
    theirs.clock.now += SILENT_MS + 1;
    expect(await theirs.progress.elsewhere(RELEASE)).toBeUndefined();
    await telling.end();
  });

  test('that was taken over is told so by its next note, and says no more', async () => {
    const disk = new Disk();
    const [ours, theirs] = [server(disk), server(disk)];
    const first = await seal(ours);
    await first.telling.note();
    const second = await seal(theirs);
    expect(first.lost()).toBe(0);
    await first.telling.note();
    expect(first.lost()).toBe(1);
    await first.telling.failed('internal', 'not to be seen');
    await first.telling.end();
    expect((await ours.progress.elsewhere(RELEASE))?.seal).toMatchObject({ running: true });
    await second.telling.end();
    expect(second.lost()).toBe(0);
  });

  test('that failed is known to have failed until the next one begins', async () => {
    const disk = new Disk();
    const [ours, theirs] = [server(disk), server(disk)];
    const { telling } = await seal(ours);
    await telling.failed('digest-mismatch', 'a part is damaged');
    const error = { code: 'digest-mismatch', message: 'a part is damaged' };
    for (const { progress } of [ours, theirs]) {
      expect((await progress.elsewhere(RELEASE))?.seal).toEqual({ running: false, error });
    }
    const next = await seal(theirs);
    expect((await ours.progress.elsewhere(RELEASE))?.seal).toMatchObject({ running: true });
    await next.telling.end();
  });

  test('goes on when its notes cannot be written', async () => {
    const disk = new Disk();
    const store = disk.open({ fault: ({ kind }) => (kind === 'swap' ? 'fail' : undefined) });
    const random = () => new Uint8Array(32);
    const parts = { store, host: nodeHost, random } as unknown as RegistryParts;
    const { telling, lost } = await seal({ clock: { now: 0 }, progress: new SealProgress(parts) });
    await telling.note();
    await telling.end();
    expect(lost()).toBe(0);
  });
});
