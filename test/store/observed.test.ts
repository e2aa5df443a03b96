import { describe, expect, test } from '@jest/globals';
import { CodedError } from '../../src/core/error.ts';
import type { Store } from '../../src/store/contract.ts';
import { keys, prefixes } from '../../src/store/keys.ts';
import { observed } from '../../src/store/observed.ts';
import { storeContract } from '../contract/store.ts';
import { Disk } from '../made/memory-store.ts';

const lock = keys.lock();

/** A store that is watched, and what was told of it. */
function watched(store: Store = new Disk().open()) {
  const told: string[] = [];
  const began = (operation: string) => {
    told.push(`${operation} began`);
    return (failure?: unknown) =>
      void told.push(`${operation} ${failure === undefined ? 'ended' : `failed: ${failure}`}`);
  };
  return { store: observed(store, began), told };
}

storeContract('a store that is watched', async () => {
  const disk = new Disk();
  return { open: async () => observed(disk.open(), () => () => {}), remove: async () => {} };
});

describe('a store that is watched', () => {
  test('tells of each operation when it begins and when it has ended', async () => {
    const { store, told } = watched();
    await store.create(lock, new Uint8Array(1));
    await store.get(lock);
    expect(told).toEqual(['create began', 'create ended', 'get began', 'get ended']);
  });

  test('passes failures on, and tells of them', async () => {
    const memory = new Disk().open();
    Object.assign(memory, { get: () => Promise.reject(new CodedError('storage', 'no')) });
    const { store, told } = watched(memory);
    await expect(store.get(lock)).rejects.toThrow('no');
    expect(told).toEqual(['get began', 'get failed: CodedError: no']);
  });

  test('tells of a listing from its first key to its end, also when nobody wants the rest', async () => {
    const { store, told } = watched();
    for (const version of [1, 2]) await store.create(keys.root(version), new Uint8Array(1));
    told.length = 0;
    for await (const _ of store.list(prefixes.roots())) break;
    expect(told).toEqual(['list began', 'list ended']);
  });
});
