/** A pass is shared, goes on after a kill, and keeps to its rate. */
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { Damages } from '../../src/registry/damages.ts';
import { Pace } from '../../src/scrub/pace.ts';
import { LEASE_MS, Passes, unitsOf } from '../../src/scrub/pass.ts';
import { Scrub, type ScrubParts } from '../../src/scrub/scrub.ts';
import type { Store } from '../../src/store/contract.ts';
import { keys } from '../../src/store/keys.ts';
import { drawHolder } from '../made/full-store.ts';
import { nonceOf, PUBLISHER, RELEASE, useWorlds, type World } from '../made/live-registry.ts';

const makeWorld = useWorlds();
const signal = new AbortController().signal;

let world: World;
let store: Store;
let now: number;

beforeEach(async () => {
  world = await makeWorld();
  const live = await world.openWithNamespace();
  const weights = utf8('weights '.repeat(100_000));
  await live.release(PUBLISHER, RELEASE, { 'a.bin': weights, 'b.txt': 'b' }, nonceOf(1));
  // This world has its trust root beside the store.
  store = world.disk.open();
  now = Date.UTC(2026, 5, 1);
});
afterEach(() => world.close());

function partsOf(more: Partial<ScrubParts> = {}): ScrubParts {
  return {
    ...{ store, host: nodeHost, hashing: world.hashing, holder: drawHolder(), signal },
    damages: new Damages({ store, clock: () => now }),
    clock: () => now,
    // A turn of the event loop: others work meanwhile.
    sleep: () => setImmediate(),
    ...more,
  };
}

describe('a pass', () => {
  test('does every unit once, however many work on it', async () => {
    const alone = await new Scrub(partsOf()).run();
    const [first, second] = await Promise.all([
      new Scrub(partsOf()).run({ fresh: true }),
      new Scrub(partsOf()).run(),
    ]);
    expect(first!.pass.pass).toBe(2);
    expect(second!.pass).toEqual(first!.pass);
    expect(first!.objects).toBeGreaterThan(0);
    expect(second!.objects).toBeGreaterThan(0);
    expect(first!.objects + second!.objects).toBe(alone.objects);
    expect(first!.pass).toMatchObject({ objects: alone.objects });
  });

  test('goes on where a process was that was killed, once its lease has run out', async () => {
    const whole = await new Scrub(partsOf()).run();
    const dead = new Passes({ store, holder: drawHolder(), clock: () => now });
    const { pass, size } = await dead.begin(whole.pass.size, true);
    const [trust, log] = [await dead.claim(pass), await dead.claim(pass)];
    if (typeof trust === 'string' || typeof log === 'string') throw new Error('nothing to do');
    await dead.finish(trust, { objects: 3, bytes: 30, damaged: 0 });
    await dead.renew(log, '1', { objects: 5, bytes: 50, damaged: 0 });

    const next = new Passes({ store, holder: drawHolder(), clock: () => now });
    expect(await next.claim(pass)).toMatchObject({ number: 2 });
    now += LEASE_MS;
    expect(await next.claim(pass)).toMatchObject({ number: 1, after: '1' });
    expect(await dead.renew(log, '2', { objects: 1, bytes: 1, damaged: 0 })).toBe(false);

    now += LEASE_MS;
    const rest = await new Scrub(partsOf()).run();
    expect(rest.pass).toMatchObject({ pass, size });
    expect(rest.objects).toBeLessThan(whole.objects);
    expect(rest.pass.ended).toBeDefined();
  });

  test('that is stopped leaves its unit at once to whoever comes next', async () => {
    const stopping = new AbortController();
    const scrub = new Scrub(
      partsOf({ signal: stopping.signal, onProgress: () => stopping.abort() }),
    );
    await expect(scrub.run()).rejects.toThrowWithCode('interrupted');
    const { pass, ended } = (await scrub.state())!;
    expect(ended).toBeUndefined();
    expect((await new Scrub(partsOf()).run()).pass).toMatchObject({ pass });
  });

  test('whose state is damaged begins anew', async () => {
    await new Scrub(partsOf()).run();
    world.disk.plant(keys.scrub(), utf8('{'));
    expect((await new Scrub(partsOf()).run()).pass).toMatchObject({ pass: 1 });
  });

  test('of a million entries has a few hundred units', () => {
    expect(unitsOf(1_000_000).length).toBeLessThan(200);
    expect(unitsOf(0).at(0)).toEqual({ phase: 'trust' });
  });
});

describe('the rate', () => {
  /** A clock that only sleeping moves. */
  function still() {
    const slept: number[] = [];
    let at = 0;
    const sleep = async (ms: number) => {
      slept.push(ms);
      at += ms;
    };
    return { clock: () => at, sleep, slept, signal };
  }

  test('is kept by many who read at the same time', async () => {
    const time = still();
    const pace = new Pace({ rate: 10e6, ...time });
    const lane = async () => {
      for (let i = 0; i < 25; i++) await pace.take(1e6);
    };
    await Promise.all([lane(), lane(), lane(), lane()]);
    expect(pace.bytes).toBe(100e6);
    expect(time.clock()).toBeGreaterThanOrEqual(9_800);
  });

  test('is not made up for after a rest', async () => {
    const time = still();
    const pace = new Pace({ rate: 1e6, ...time });
    await pace.take(1e6);
    await time.sleep(60_000);
    time.slept.length = 0;
    await pace.take(1e6);
    await pace.take(1e6);
    expect(time.slept).toEqual([1_000]);
  });

  test('counts requests, for small documents are not for nothing', async () => {
    const time = still();
    const pace = new Pace({ rate: 4096, ...time });
    for (let i = 0; i < 3; i++) await pace.request();
    expect(time.slept).toEqual([1_000, 1_000]);
  });

  test('slows a scrub down to what it says', async () => {
    const time = still();
    const bytes = (await new Scrub(partsOf()).run()).bytes;
    const paced = partsOf({ rate: 100_000, clock: () => now + time.clock(), sleep: time.sleep });
    await new Scrub(paced).run({ fresh: true });
    expect(time.clock()).toBeGreaterThan((1_000 * bytes) / 100_000 - 1_000);
  });

  test('without one nothing waits', async () => {
    const time = still();
    const pace = new Pace({ rate: undefined, ...time });
    await pace.take(1e12);
    expect(time.slept).toEqual([]);
  });
});
