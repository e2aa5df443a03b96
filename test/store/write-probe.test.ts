import { describe, expect, test } from '@jest/globals';
import { CodedError } from '../../src/core/error.ts';
import { writeProbe } from '../../src/store/write-probe.ts';
import { Disk } from '../made/memory-store.ts';

const NAME = 'ab'.repeat(16);

function probed(patience = 60_000) {
  const store = new Disk().open();
  const { create } = store;
  let writes = 0;
  let now = 0;
  const full = { is: false };
  let hanging: Promise<void> | undefined;
  store.create = async (...given) => {
    writes++;
    await hanging;
    if (full.is) throw new CodedError('disk-full', 'the disk is full');
    return create.apply(store, given);
  };
  const ask = writeProbe(store, NAME, () => now, patience);
  const askLater = () => {
    now += 3_000;
    return ask();
  };
  /** Makes writes wait; resolves them by what it returns. */
  const hang = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    hanging = promise;
    return resolve;
  };
  return { store, ask, askLater, full, hang, writes: () => writes };
}

describe('a probe of whether a store takes writes', () => {
  test('finds nothing wrong, and leaves nothing behind', async () => {
    const { store, ask } = probed();
    expect(await ask()).toBeUndefined();
    expect(await store.size(`private/probe/${NAME}` as never)).toBeUndefined();
  });

  test('says why when it takes none, and that it does again', async () => {
    const { askLater, full } = probed();
    full.is = true;
    expect(await askLater()).toContain('the disk is full');
    full.is = false;
    expect(await askLater()).toBeUndefined();
  });

  test('writes once, however often it is asked within three seconds', async () => {
    const { ask, askLater, writes } = probed();
    await Promise.all(Array.from({ length: 100 }, ask));
    expect(writes()).toBe(1);
    await askLater();
    expect(writes()).toBe(2);
  });

  test('says that a store which does not answer takes none, at once and with one write', async () => {
    const { askLater, hang, writes } = probed(5);
    const answer = hang();
    expect(await askLater()).toContain('one has had no answer');
    expect(await askLater()).toContain('one has had no answer');
    expect(writes()).toBe(1);
    answer();
    while ((await askLater()) !== undefined);
  });
});
