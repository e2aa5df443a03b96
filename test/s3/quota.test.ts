/** One quota, two servers, a real bucket, where the losers of a swap may wait for seconds. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Seaweedfs, startSeaweedfs } from '../../scripts/peers/seaweedfs.ts';
import { inParallel } from '../../src/core/parallel.ts';
import { parseNamespace, parseReleaseName } from '../../src/core/release/name.ts';
import { Chores } from '../../src/registry/chores.ts';
import { draftForm } from '../../src/registry/documents/draft.ts';
import { Quotas, setQuota, usageOf } from '../../src/registry/quotas.ts';
import type { Store } from '../../src/store/contract.ts';
import { keys } from '../../src/store/keys.ts';
import { openBucket } from '../../src/store/s3.ts';

jest.setTimeout(120_000);

const ACME = parseNamespace('acme');
const RELEASE = parseReleaseName('acme/tiny@v1');
const FILES = 2_000;
const ONE = { files: 1, bytes: 1_000 };
/** As many declarations as one push has under way, half of them at each server. */
const EACH = 4;

let directory: string;
let server: Seaweedfs;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weighhouse-s3-quota-'));
  server = await startSeaweedfs(directory);
});
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** A server, and how often it swapped. */
function openServer() {
  const store = openBucket(`s3://${server.bucket}/quota`, server);
  let swaps = 0;
  const counted: Store = Object.assign(Object.create(store), {
    swap: (...asked: Parameters<Store['swap']>) => {
      swaps += 1;
      return store.swap(...asked);
    },
    get: (...asked: Parameters<Store['get']>) => store.get(...asked),
    size: (...asked: Parameters<Store['size']>) => store.size(...asked),
  });
  const random = () => new Uint8Array(randomBytes(16));
  const quotas = new Quotas({ store: counted, clock: Date.now, random }, new Chores());
  return { quotas, store, swaps: () => swaps };
}

test('two servers that share a push stay within the quota, and rarely meet', async () => {
  const [one, two] = [openServer(), openServer()];
  await one.store.create(keys.namespace(ACME), new Uint8Array(1));
  await setQuota(one.store, ACME, { bytes: 100 * FILES * ONE.bytes }, Date.now());
  const head = { v: 1, generation: 1, release: 'acme/tiny@v1', state: 'draft' } as const;
  const draft = { ...head, revision: 1, former: [], pushers: [] };
  await one.store.swap(keys.draft(RELEASE), null, draftForm.format(draft));
  await one.quotas.open(RELEASE, true, undefined);
  const declare = async ({ quotas }: typeof one) => {
    const half = Array.from({ length: FILES / 2 });
    await inParallel(half, EACH, async () => (await quotas.reserve(RELEASE, ONE)).end('done', ONE));
  };
  await Promise.all([declare(one), declare(two)]);
  await Promise.all([one.quotas.close(), two.quotas.close()]);
  const usage = await usageOf(one.store, ACME);
  expect(usage).toMatchObject({ used: { files: FILES, bytes: FILES * ONE.bytes } });
  expect(usage?.setAside).toEqual({ files: 0, bytes: 0 });
  expect(one.swaps() + two.swaps()).toBeLessThan(20);

  const full = parseReleaseName('acme/tiny@v2');
  await setQuota(one.store, ACME, { bytes: FILES * ONE.bytes }, Date.now());
  await expect(two.quotas.reserve(full, ONE)).rejects.toThrowWithCode('quota-exceeded');
});
