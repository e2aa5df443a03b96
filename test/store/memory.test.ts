/** The store in memory, on which other rooms test, keeps the contract too: or they prove nothing. */
import { storeContract } from '../contract/store.ts';
import { Disk } from '../made/memory-store.ts';

storeContract('the store in memory', async () => {
  const disk = new Disk();
  return { open: async () => disk.open(), remove: async () => {} };
});
