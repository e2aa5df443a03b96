import { describe, expect, test } from '@jest/globals';
import { SharedRun } from '../../src/core/shared-run.ts';

/** Runs that end when they are told to. */
function runs() {
  const begun: PromiseWithResolvers<number>[] = [];
  const shared = new SharedRun(() => {
    const run = Promise.withResolvers<number>();
    begun.push(run);
    return run.promise;
  });
  return { begun, shared };
}

test('who comes while a run is on its way shares the next one', async () => {
  const { begun, shared } = runs();
  const first = shared.run();
  const later = [shared.run(), shared.run(), shared.run()];
  expect(begun).toHaveLength(1);
  begun[0]!.resolve(1);
  expect(await first).toBe(1);

  expect(begun).toHaveLength(2);
  const last = shared.run();
  begun[1]!.resolve(2);
  expect(await Promise.all(later)).toEqual([2, 2, 2]);
  begun[2]!.resolve(3);
  expect(await last).toBe(3);
  expect(begun).toHaveLength(3);
});

test('a run that fails is told to those who shared it, and to nobody who came after it began', async () => {
  const { begun, shared } = runs();
  const first = shared.run();
  const next = shared.run();
  begun[0]!.reject(new Error('the first'));
  await expect(first).rejects.toThrow('the first');
  begun[1]!.resolve(2);
  expect(await next).toBe(2);
});

test('when nothing is on its way, a run begins at once', async () => {
  const { begun, shared } = runs();
  for (const number of [1, 2]) {
    const run = shared.run();
    expect(begun).toHaveLength(number);
    begun[number - 1]!.resolve(number);
    expect(await run).toBe(number);
  }
});

/** An fsync whose end the test decides. */
function heldSync() {
  const runs: PromiseWithResolvers<void>[] = [];
  const shared = new SharedRun(() => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  });
  return { shared, runs };
}

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

describe('a shared fsync', () => {
  test('does not answer those who came after it started: they wait for the next, together', async () => {
    const { shared, runs } = heldSync();
    const answered: string[] = [];
    const ask = (name: string) => shared.run().then(() => answered.push(name));
    const first = ask('first');
    const later = [ask('second'), ask('third')];
    expect(runs).toHaveLength(1);
    runs[0]!.resolve();
    await first;
    await turn();
    expect(answered).toEqual(['first']);
    expect(runs).toHaveLength(2);
    runs[1]!.resolve();
    await Promise.all(later);
    expect(runs).toHaveLength(2);
    expect(shared.idle).toBe(true);
  });

  test('whoever asks between two runs is answered by one that starts afterwards', async () => {
    const { shared, runs } = heldSync();
    const first = shared.run();
    const second = shared.run();
    runs[0]!.resolve();
    await first;
    const third = shared.run();
    await turn();
    for (const run of runs) run.resolve();
    await turn();
    for (const run of runs) run.resolve();
    await Promise.all([second, third]);
    expect(runs.length).toBeGreaterThanOrEqual(2);
  });

  test('a failure reaches everyone who waited for that run', async () => {
    const { shared, runs } = heldSync();
    const first = shared.run();
    const later = [shared.run(), shared.run()];
    runs[0]!.reject(new Error('EIO 1'));
    await expect(first).rejects.toThrow('EIO 1');
    await turn();
    runs[1]!.reject(new Error('EIO 2'));
    for (const waiting of later) await expect(waiting).rejects.toThrow('EIO 2');
  });
});
