import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { CodedError } from '../../src/core/error.ts';
import { persistFor } from '../../src/log/pause.ts';
import { proveStore } from '../../src/open-store.ts';
import type { Store } from '../../src/store/contract.ts';
import { probeStore } from '../../src/store/probe.ts';
import { Disk } from '../made/memory-store.ts';

const random = () => new Uint8Array(randomBytes(16));

/** The store with some of its calls replaced. */
function changed(changes: Partial<Store>): Store {
  const store = new Disk().open();
  return new Proxy<Store>(store, {
    get: (target, name) => {
      const replaced = changes[name as keyof Store];
      if (replaced !== undefined) return replaced;
      const value: unknown = target[name as keyof Store];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('the probe at start', () => {
  test('passes a store that keeps its promises, and leaves nothing behind', async () => {
    const disk = new Disk();
    await probeStore(disk.open(), random);
    expect(disk.objects.size).toBe(0);
  });

  test('names a store that refuses it, and says what to look at', async () => {
    const create = async () => {
      throw new CodedError('storage', 'cannot write private/probe/1: AccessDenied: Access Denied.');
    };
    const store = changed({ create });
    await expect(proveStore(store)).rejects.toThrow(
      `${store.name} cannot be used: cannot write private/probe/1: AccessDenied: Access Denied; check the address, and that this program may read, write and delete there`,
    );
  });

  test('refuses a store that ignores the condition of a create', async () => {
    await expect(
      probeStore(changed({ create: async () => 'created' }), random),
    ).rejects.toThrowWithCode('storage');
  });

  test('refuses a store that ignores the condition of a swap', async () => {
    const swap: Store['swap'] = async () => 'v' as Awaited<ReturnType<Store['swap']>>;
    await expect(probeStore(changed({ swap }), random)).rejects.toThrowWithCode('storage');
  });

  test('refuses a store on which nobody wins', async () => {
    await expect(
      probeStore(changed({ swap: async () => undefined }), random),
    ).rejects.toThrowWithCode('storage');
  });

  test('does not take a lost answer for a store that is unfit: a start tries again', async () => {
    const disk = new Disk();
    let lost = 1;
    const store = disk.open({
      // As over S3: the answer is lost, and the repetition finds what is there already.
      fault: ({ kind }) => (kind === 'create' && lost-- > 0 ? 'lose' : undefined),
    });
    const create: Store['create'] = (key, bytes) =>
      store.create(key, bytes).catch(() => store.create(key, bytes));
    const probed = new Proxy<Store>(store, {
      get: (target, name) => {
        const value: unknown = name === 'create' ? create : target[name as keyof Store];
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const probe = () => probeStore(probed, random);
    const patience = { patience: 10_000, onPause: (cause: unknown) => causes.push(cause) };
    const causes: unknown[] = [];
    await persistFor(patience, probe);
    expect(causes).toMatchObject([{ code: 'storage', details: { winners: 0 } }]);
  });

  test('is not repeated for a store on which two win', async () => {
    const causes: unknown[] = [];
    const patience = { patience: 10_000, onPause: (cause: unknown) => causes.push(cause) };
    const probing = persistFor(patience, () =>
      probeStore(changed({ create: async () => 'created' }), random),
    );
    await expect(probing).rejects.toThrow(/cannot hold a registry/);
    expect(causes).toEqual([]);
  });
});
