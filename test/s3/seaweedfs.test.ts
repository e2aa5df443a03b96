/** The S3 store against SeaweedFS. `npm run test:s3`; needs Python 3 with venv, once. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, jest } from '@jest/globals';
import { type Seaweedfs, startSeaweedfs } from '../../scripts/peers/seaweedfs.ts';
import { openBucket } from '../../src/store/s3.ts';
import { storeContract } from '../contract/store.ts';

// Installing and starting take a while, and losers of a race wait for whole seconds.
jest.setTimeout(120_000);

let directory: string;
let server: Seaweedfs;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weighhouse-s3-'));
  server = await startSeaweedfs(directory);
});

afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

storeContract('SeaweedFS', async () => ({
  open: async () => openBucket(`s3://${server.bucket}/a/prefix`, server),
  remove: async () => {},
}));
