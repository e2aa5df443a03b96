/** The log of a registry, filled up with commitments to so many entries. */
import { randomBytes } from 'node:crypto';
import { formatEntry } from '../../src/core/log/entry.ts';
import { openRegistryAt } from '../../src/open-registry.ts';
import type { Store } from '../../src/store/contract.ts';

/** Entries that are appended at once. */
const FILLING = 4_096;

/** Fills the log up, closes the store; nobody else may write to it meanwhile. */
export async function fillLog(store: Store, keys: string, entries: number): Promise<void> {
  const opened = await openRegistryAt(store, keys, undefined);
  const { sequencer } = opened;
  while (sequencer.committed().size < entries) {
    const count = Math.min(FILLING, entries - sequencer.committed().size);
    await sequencer.append({ entries: Array.from({ length: count }, commitment) });
  }
  await opened.close();
  await store.close();
}

function commitment(): Uint8Array {
  const [label, commit] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
  const time = new Date().toISOString();
  return formatEntry({ v: 1, kind: 'commitment', time, label, commit });
}
