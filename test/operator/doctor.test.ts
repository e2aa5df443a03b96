/** Whatever can go wrong with a registry, the doctor names it and says what to do. */
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { formatLock, loadLock } from '../../src/log/lock.ts';
import { checkClocks } from '../../src/operator/doctor/clock.ts';
import type { Finding } from '../../src/operator/doctor/finding.ts';
import { checkKeys } from '../../src/operator/doctor/keys.ts';
import { checkLeftovers } from '../../src/operator/doctor/leftovers.ts';
import { checkLog } from '../../src/operator/doctor/log.ts';
import { checkServer } from '../../src/operator/doctor/server.ts';
import { checkSpace } from '../../src/operator/doctor/space.ts';
import { readStoredRoot } from '../../src/operator/stored-root.ts';
import { Damages } from '../../src/registry/damages.ts';
import { markerForm } from '../../src/registry/documents/release.ts';
import { Scrub } from '../../src/scrub/scrub.ts';
import type { Store } from '../../src/store/contract.ts';
import { keys } from '../../src/store/keys.ts';
import { drawHolder } from '../made/full-store.ts';
import { Disk } from '../made/memory-store.ts';
import { flipBit } from '../made/rot.ts';
import { Served } from '../made/served.ts';

const DAY = 24 * 3600 * 1000;
const random = drawHolder;

let served: Served;
let store: Store;
let folder: string;
beforeEach(async () => {
  served = await Served.start();
  store = served.store;
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-doctor-'));
});
afterEach(async () => {
  await served.stop();
  await rm(folder, { recursive: true, force: true });
});

const host = nodeHost;
/** The findings that are not ok, in short; each must say what to do. */
function wrong(findings: readonly Finding[]): string[] {
  const found = findings.filter(({ status }) => status !== 'ok');
  for (const { todo } of found) expect(todo).toBeTruthy();
  return found.map(({ check, status, says }) => `${status} ${check}: ${says}`);
}

describe('clocks', () => {
  const clocks = (ahead: number) => checkClocks({ store, random, clock: () => Date.now() + ahead });

  test('that agree are well', async () => {
    expect(wrong(await clocks(0))).toEqual([]);
  });

  test('that are half a minute apart are warned of, two minutes fail', async () => {
    expect(wrong(await clocks(30_000))).toEqual([
      expect.stringMatching(
        /^warning clock: the store’s clock and this machine’s are (29|30|31) s apart$/,
      ),
    ]);
    expect(wrong(await clocks(120_000))).toEqual([expect.stringMatching(/^failed clock: .*120 s/)]);
  });

  test('that are behind the log’s last commit fail, for nothing would be committed', async () => {
    const disk = new Disk();
    const lock = (await loadLock(store))!;
    disk.plant('private/lock', formatLock({ ...lock, time: Date.now() + DAY }));
    const found = await checkClocks({ store: disk.open(), random, clock: Date.now });
    expect(wrong(found)).toEqual([
      expect.stringMatching(/^failed clock: the log’s last commit is 86400 s ahead/),
    ]);
  });
});

describe('keys', () => {
  const inspect = (more: { clock?: () => number; keysDirectory?: string } = {}) =>
    checkKeys({
      ...{ store, host, passphrase: undefined, clock: Date.now },
      keysDirectory: join(served.folder, 'keys'),
      ...more,
    });

  test('that are there, private and named by the root are well', async () => {
    expect(wrong(await inspect())).toEqual([]);
  });

  test('that others can read fail', async () => {
    await chmod(join(served.folder, 'keys', 'log.key'), 0o644);
    expect(wrong(await inspect())).toEqual([
      'failed keys: others on this machine can read log.key',
    ]);
  });

  test('that are missing, or of another registry, fail', async () => {
    await rm(join(served.folder, 'keys', 'release.key'));
    expect(wrong(await inspect())).toEqual([
      expect.stringMatching(/^failed keys: the release key/),
    ]);
    await mkdir(join(folder, 'empty'));
    const none = await inspect({ keysDirectory: join(folder, 'empty') });
    expect(wrong(none)).toEqual([
      expect.stringMatching(/^failed keys: .*holds no registry’s keys/),
    ]);
  });

  test('the root’s own among them fails', async () => {
    await copyFile(join(served.folder, 'root.key'), join(served.folder, 'keys', 'release-9.key'));
    expect(wrong(await inspect())).toEqual([
      expect.stringMatching(/^failed keys: .*root’s private key/),
    ]);
  });

  test('of a root that ends soon are warned of, of one that has ended fail', async () => {
    const soon = await inspect({ clock: () => Date.now() + 350 * DAY });
    expect(wrong(soon)).toEqual([
      expect.stringMatching(/^warning trust root: version 1 ends on .*, in 1[45] days$/),
    ]);
    const ended = await inspect({ clock: () => Date.now() + 366 * DAY });
    expect(wrong(ended)).toEqual([
      expect.stringMatching(/^failed trust root: version 1 ends on .*refuse/),
    ]);
  });

  test('of a root that has rotted fail', async () => {
    flipBit(store, keys.root(1));
    const found = wrong(await inspect());
    expect(found.some((each) => each.startsWith('failed trust root'))).toBe(true);
  });
});

describe('the log', () => {
  const lastSeen = () => join(folder, 'seen.checkpoint');
  const inspect = (clock = Date.now) => checkLog({ store, host, clock, lastSeen });

  test('that is whole, public and not older than what was seen is well', async () => {
    await writeFile(lastSeen(), (await served.log.published()).note);
    const findings = await inspect();
    expect(wrong(findings)).toEqual([]);
    expect(findings.map(({ says }) => says).join('\n')).toContain('that this machine saw last');
  });

  test.each([
    ['the lock', () => keys.lock()],
    ['the checkpoint', () => keys.checkpoint()],
  ])('of which %s has rotted fails', async (_, key) => {
    flipBit(store, key());
    expect(wrong(await inspect())).toEqual([expect.stringMatching(/^failed log: /)]);
  });

  test('of which a tail tile has rotted or is missing fails', async () => {
    const { size } = await served.log.published();
    const tile = keys.tile(`tile/0/000.p/${size}`);
    flipBit(store, tile);
    expect(wrong(await inspect()).some((each) => each.startsWith('failed log'))).toBe(true);
  });

  test('that was restored from an older copy fails', async () => {
    await served.publish('acme/tiny@v1', { 'a.txt': 'a' });
    await writeFile(lastSeen(), (await served.log.published()).note);
    const other = await Served.start({ origin: served.origin });
    const theirs = checkLog({ store: other.store, host, clock: Date.now, lastSeen });
    expect(wrong(await theirs).some((each) => each.startsWith('failed log'))).toBe(true);
    await other.stop();
  });

  test('that has been silent for longer than its root allows is warned of', async () => {
    const later = () => Date.now() + 2 * 3600 * 1000;
    expect(wrong(await inspect(later))).toEqual([
      expect.stringMatching(
        /^warning log: the newest heads entry is 72[0-9]{2} s old; clients refuse/,
      ),
    ]);
  });
});

describe('what was left', () => {
  const inspect = (clock = Date.now) => checkLeftovers({ store, host, clock, random });

  test('of a store that was never scrubbed is said', async () => {
    expect(wrong(await inspect())).toEqual(['warning scrub: no scrub has ended yet']);
  });

  test('is nothing after a scrub, until that is two weeks ago', async () => {
    await scrub();
    expect(wrong(await inspect())).toEqual([]);
    const later = () => Date.now() + 16 * DAY;
    expect(wrong(await inspect(later))).toEqual([
      expect.stringMatching(/^warning scrub: the last scrub/),
    ]);
  });

  test('damage fails', async () => {
    await scrub();
    const damages = new Damages({ store, clock: Date.now });
    const due = { by: 'form' } as const;
    await damages.record(keys.blob(random()), { due, problem: 'damaged', detail: 'rot' });
    expect(wrong(await inspect())).toEqual(['failed damage: 1 objects are damaged']);
  });

  test('publishes that were begun long ago, and uploads of last week, are warned of', async () => {
    await scrub();
    const disk = new Disk();
    disk.clock = () => Date.now() - 8 * DAY;
    const old = disk.open();
    const name = parseReleaseName('acme/tiny@v1');
    const marker = markerForm.format({ v: 1, release: 'acme/tiny@v1', generation: 3 });
    await old.create(keys.intent(name, 3), marker);
    await old.create(keys.upload(random()), utf8('{}'));
    disk.clock = Date.now;
    const found = await checkLeftovers({ store: old, host, clock: Date.now, random });
    expect(wrong(found)).toEqual([
      'warning scrub: no scrub has ended yet',
      'warning intents: 1 publishes or seals were begun and not finished',
      expect.stringMatching(/^warning uploads: 1 records of uploads are older than 7 days/),
    ]);
  });

  async function scrub(): Promise<void> {
    const hashing = new HashingPool({ threads: 1 });
    const damages = new Damages({ store, clock: Date.now });
    const signal = new AbortController().signal;
    const parts = { store, host, hashing, damages, holder: random(), clock: Date.now, signal };
    await new Scrub({ ...parts, sleep: async () => {} }).run();
    await hashing.close();
  }
});

describe('space', () => {
  const GIB = 2 ** 30;
  const inspect = (bytes: number, inodes: number | undefined) =>
    checkSpace(store, async () => ({ bytes, inodes }));

  test('is measured where the store lies', async () => {
    const [bytes] = await checkSpace(store);
    expect(bytes!.says).toMatch(/GiB are free/);
  });

  test('that is little is warned of, none fails; inodes too', async () => {
    expect(wrong(await inspect(10 * GIB, 0.05))).toEqual([]);
    expect(wrong(await inspect(10 * GIB - 1, undefined))).toEqual([
      expect.stringMatching(/^warning space/),
    ]);
    expect(wrong(await inspect(GIB / 4 - 1, undefined))).toEqual([
      expect.stringMatching(/^failed space/),
    ]);
    expect(wrong(await inspect(10 * GIB, 0.049))).toEqual([
      expect.stringMatching(/^warning space: 4.9% .*inodes/),
    ]);
    expect(wrong(await inspect(10 * GIB, 0.004))).toEqual([
      expect.stringMatching(/^failed space: 0.4% .*inodes/),
    ]);
  });

  test('of a bucket is whether it answers, with a log', async () => {
    expect(wrong(await checkSpace(new Disk().open()))).toEqual([
      'failed space: the bucket has no log',
    ]);
  });
});

describe('a server', () => {
  const answers = async (
    more: Record<string, unknown> = {},
    ready = { status: 200, text: 'ready\n' },
  ) => {
    const { root } = await readStoredRoot(host, store);
    const config = { origin: served.origin, url: served.url, vkey: served.vkey, ...more };
    return checkServer(served.url, root, async () => ({ ready, config }));
  };

  test('that is ready at the address that it tells is well', async () => {
    expect(wrong(await answers())).toEqual([]);
  });

  test('that is not ready, or of another registry, fails', async () => {
    const text = 'the store takes no writes';
    expect(wrong(await answers({}, { status: 503, text }))).toEqual([
      `failed server: it is not ready: ${text}`,
    ]);
    expect(wrong(await answers({ origin: 'other.test' }))).toEqual([
      expect.stringMatching(/^failed identity/),
    ]);
  });

  test('that tells another address is warned of; one without TLS for others fails', async () => {
    expect(wrong(await answers({ url: 'http://127.0.0.1:1' }))).toEqual([
      expect.stringMatching(/^warning address/),
    ]);
    const { root } = await readStoredRoot(host, store);
    const url = 'http://weights.example';
    const config = { origin: served.origin, url, vkey: served.vkey };
    const ready = { status: 200, text: 'ready' };
    const found = await checkServer(url, root, async () => ({ ready, config }));
    expect(wrong(found)).toEqual([expect.stringMatching(/^failed address: .*without TLS/)]);
  });
});
