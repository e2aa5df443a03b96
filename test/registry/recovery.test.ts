import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/core/bytes.ts';
import { type Begun, Recovery } from '../../src/registry/recovery.ts';
import { prefixes } from '../../src/store/keys.ts';
import { Disk, type Operation } from '../made/memory-store.ts';

function diskWith(...names: readonly string[]): Disk {
  const disk = new Disk();
  for (const name of names) disk.plant(`private/intents/acme/tiny/${name}/1`, utf8('{}'));
  return disk;
}

const publishes = (resume: Begun['resume']): readonly Begun[] => [
  { markers: prefixes.intents(), resume },
];

/** Resolves at the `n`-th call of `called`. */
function counter(n: number) {
  const { promise, resolve } = Promise.withResolvers<void>();
  let calls = 0;
  const called = () => {
    calls += 1;
    if (calls === n) resolve();
  };
  return { called, reached: promise, calls: () => calls };
}

describe('what cannot be finished', () => {
  test('is told, keeps nothing else from being finished, and is tried again until it is', async () => {
    const disk = diskWith('v1', 'v2', 'v3');
    const tried: string[] = [];
    const left: string[] = [];
    const done = Promise.withResolvers<void>();
    let isHealed = false;
    const recovery = new Recovery({
      store: disk.open(),
      every: 1,
      onUnfinished: (marker, cause) => {
        left.push(`${marker}: ${(cause as Error).message}`);
        isHealed = left.length === 3;
      },
      begun: publishes(async (marker) => {
        tried.push(marker);
        if (!marker.includes('/v2/')) return;
        if (!isHealed) throw new Error('not yet');
        done.resolve();
      }),
    });
    await recovery.run();
    expect(left).toEqual(['private/intents/acme/tiny/v2/1: not yet']);
    expect(tried).toHaveLength(3);
    await done.promise;
    recovery.close();
    expect(left).toHaveLength(3);
  });

  test('of one kind keeps no other kind from being finished', async () => {
    const disk = diskWith('v1');
    disk.plant('private/unlogged/acme/tiny/v1/1', utf8('{}'));
    const finished: string[] = [];
    const recovery = new Recovery({
      store: disk.open(),
      begun: [
        ...publishes(async () => {
          throw new Error('not yet');
        }),
        { markers: prefixes.unlogged(), resume: async (marker) => void finished.push(marker) },
      ],
    });
    await recovery.run();
    recovery.close();
    expect(finished).toEqual(['private/unlogged/acme/tiny/v1/1']);
  });

  test('is not tried again after the end', async () => {
    const tries = counter(1);
    const recovery = new Recovery({
      store: diskWith('v1').open(),
      every: 1,
      begun: publishes(async () => {
        tries.called();
        throw new Error('never');
      }),
    });
    await recovery.run();
    recovery.close();
    await recovery.run();
    expect(tries.calls()).toBe(1);
  });

  test('is tried again also when the store could not be asked in between', async () => {
    const [lists, tries] = [counter(3), counter(2)];
    const fault = ({ kind }: Operation) => {
      if (kind !== 'list') return undefined;
      lists.called();
      return lists.calls() === 2 ? 'fail' : undefined;
    };
    const recovery = new Recovery({
      store: diskWith('v1').open({ fault }),
      every: 1,
      begun: publishes(async () => {
        tries.called();
        throw new Error('not yet');
      }),
    });
    await recovery.run();
    await tries.reached;
    recovery.close();
    expect(lists.calls()).toBe(3);
  });
});
