/** Only what nothing names, and has not been touched for days, is an orphan. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { formatStaging } from '../../src/log/staging.ts';
import { Damages } from '../../src/registry/damages.ts';
import { NameSet } from '../../src/scrub/name-set.ts';
import { findOrphans, ORPHAN_DAYS, type Orphan, removeOrphan } from '../../src/scrub/orphans.ts';
import { keys } from '../../src/store/keys.ts';
import {
  declared,
  nonceOf,
  PUBLISHER,
  partsOf,
  RELEASE,
  streamOf,
  useWorlds,
} from '../made/live-registry.ts';

const makeWorld = useWorlds();
const DAY = 24 * 3600 * 1000;
const random = () => randomBytes(16).toString('hex');

async function scene() {
  const world = await makeWorld();
  let now = Date.UTC(2026, 1, 1);
  world.disk.clock = () => now;
  const live = await world.openWithNamespace();
  await live.push(PUBLISHER, RELEASE, { 'README.md': 'A model.' }, nonceOf(1));
  const store = world.disk.open();
  const damages = new Damages({ store, clock: () => now });
  const find = async (more = {}): Promise<Orphan[]> => {
    const found: Orphan[] = [];
    for await (const orphan of findOrphans({ store, host: nodeHost, damages, random, ...more })) {
      found.push(orphan);
    }
    return found;
  };
  const wait = (days: number) => {
    now += days * DAY;
  };
  return { world, live, store, find, wait, damages };
}

describe('orphans', () => {
  test('are blobs, stagings and probes that nothing names, once they are old enough', async () => {
    const { store, find, wait } = await scene();
    const lost = [
      keys.blob(random()),
      keys.staging(9, 'ab'.repeat(32), random()),
      keys.probe(random()),
    ];
    await store.create(lost[0]!, utf8('bytes'));
    await store.create(lost[1]!, formatStaging(nodeHost, []));
    await store.create(lost[2]!, utf8('x'));
    wait(ORPHAN_DAYS);
    wait(-1 / DAY);
    expect(await find()).toEqual([]);
    wait(1 / DAY);
    const found = await find();
    expect(found.map(({ key }) => key)).toEqual(lost);
    expect(found.map(({ kind }) => kind)).toEqual(['blob', 'staging', 'probe']);
    for (const orphan of found) await removeOrphan({ store }, orphan);
    expect(await find()).toEqual([]);
    for (const key of lost) expect(await store.size(key)).toBeUndefined();
  });

  test('are not the content of sealed and open drafts, nor uploads under way, however old', async () => {
    const { live, find, wait } = await scene();
    await live.upload(PUBLISHER, RELEASE, { 'more.txt': 'not sealed' });
    const file = declared('later.bin', new Uint8Array(9 * 2 ** 20));
    const ticket = await live.registry.declareFile(PUBLISHER, RELEASE, file);
    if (ticket.state !== 'upload') throw new Error('nothing to upload');
    const [part] = partsOf(new Uint8Array(9 * 2 ** 20));
    const { upload } = ticket;
    await live.registry.putPart(PUBLISHER, RELEASE, { upload, ...part! }, streamOf(part!.bytes));
    wait(365);
    expect(await find()).toEqual([]);
  });

  test('are the records of an upload whose file was declared anew', async () => {
    const { live, store, find, wait } = await scene();
    const name = random();
    const document = {
      v: 1,
      release: 'acme/tiny@v1.0',
      path: 'gone.bin',
      id: 'x',
      size: 1,
      partSize: 1,
    };
    await store.create(keys.upload(name), utf8(JSON.stringify(sorted(document))));
    wait(ORPHAN_DAYS);
    const [orphan] = await find();
    expect(orphan).toMatchObject({ key: keys.upload(name), kind: 'upload' });
    await removeOrphan({ store }, orphan!);
    expect(await find()).toEqual([]);
    await live.close();
  });

  test('are not the blob that a repair is about to bind', async () => {
    const { store, find, wait, damages } = await scene();
    const name = random();
    await store.create(keys.blob(name), utf8('bytes'));
    const damaged = keys.blob(random());
    const due = { by: 'form' } as const;
    await damages.record(damaged, { due, problem: 'damaged', detail: 'rot' });
    await damages.noteReplacement(damaged, name);
    wait(ORPHAN_DAYS);
    expect(await find()).toEqual([]);
  });

  test('are found in rounds where not all names fit into memory', async () => {
    const { store, live, find, wait } = await scene();
    for (let i = 0; i < 12; i++) {
      await live.upload(PUBLISHER, RELEASE, { [`file-${i}.txt`]: `file ${i}` });
    }
    const lost = Array.from({ length: 5 }, () => keys.blob(random()));
    for (const key of lost) await store.create(key, utf8('bytes'));
    wait(ORPHAN_DAYS);
    for (const maxNames of [1, 2, 5, 100]) {
      const found = (await find({ maxNames })).map(({ key }) => key);
      expect(found.sort()).toEqual([...lost].sort());
    }
  });
});

describe('a set of names', () => {
  test('has what was added within its range, and shrinks the range when it is full', () => {
    const names = Array.from({ length: 200 }, random);
    const set = new NameSet(0, 50);
    for (const name of names) set.add(name);
    set.seal();
    expect(set.to).toBeLessThan(256);
    const within = names.filter((name) => Number.parseInt(name.slice(0, 2), 16) < set.to);
    expect(within.length).toBeLessThanOrEqual(50);
    expect(within.every((name) => set.has(name))).toBe(true);
    expect(set.has('00'.repeat(16))).toBe(false);
  });
});

function sorted(document: Record<string, unknown>) {
  return Object.fromEntries(Object.entries(document).sort(([a], [b]) => (a < b ? -1 : 1)));
}
