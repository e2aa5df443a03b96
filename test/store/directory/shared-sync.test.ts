import { describe, expect, test } from '@jest/globals';
import { SharedSync } from '../../../src/store/directory/shared-sync.ts';

/** An fsync whose end the test decides. */
function heldSync() {
  const runs: PromiseWithResolvers<void>[] = [];
  const shared = new SharedSync(() => {
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
    const ask = (name: string) => shared.sync().then(() => answered.push(name));
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
    const first = shared.sync();
    const second = shared.sync();
    runs[0]!.resolve();
    await first;
    const third = shared.sync();
    await turn();
    for (const run of runs) run.resolve();
    await turn();
    for (const run of runs) run.resolve();
    await Promise.all([second, third]);
    expect(runs.length).toBeGreaterThanOrEqual(2);
  });

  test('a failure reaches everyone who waited for that run', async () => {
    const { shared, runs } = heldSync();
    const first = shared.sync();
    const later = [shared.sync(), shared.sync()];
    runs[0]!.reject(new Error('EIO 1'));
    await expect(first).rejects.toThrow('EIO 1');
    await turn();
    runs[1]!.reject(new Error('EIO 2'));
    for (const waiting of later) await expect(waiting).rejects.toThrow('EIO 2');
  });
});
