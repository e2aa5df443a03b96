import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
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
});
