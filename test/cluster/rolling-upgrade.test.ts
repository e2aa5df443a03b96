/** Servers that come and go behind the balancer, while clients go on asking. */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { setPolicy } from '../../scripts/cluster/bucket.ts';
import { type Cluster, startCluster } from '../../scripts/cluster/cluster.ts';
import { declared } from '../made/live-registry.ts';
import { Traffic } from './traffic.ts';

jest.setTimeout(90_000);

const RELEASE = 'demo/tiny@1.0';
const DRAFT = '/api/v1/drafts/demo/rolled/v1';
/** A request that changes something is sent once: many, so that one meets every moment of an end. */
const WRITERS = 8;
const PUBLISHED = '/api/v1/releases/demo/tiny/1.0';

let cluster: Cluster;
let traffic: Traffic;

beforeAll(async () => {
  cluster = await startCluster({ servers: 2 });
  const model = join(cluster.directory, 'model');
  await mkdir(model);
  await writeFile(join(model, 'config.json'), '{}\n');
  const { digest } = JSON.parse(await cluster.weighhouse('push', model, RELEASE, '--json'));
  await cluster.weighhouse('publish', RELEASE, '--digest', digest, '--json');
});
afterEach(() => traffic?.stop());
afterAll(() => cluster?.stop());

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((later) => setTimeout(later, 100));
}

/** Readers, and writers whose requests no balancer may send twice. */
async function startClients(): Promise<Traffic> {
  const started = new Traffic(cluster);
  expect(await started.ask({ method: 'PUT', path: DRAFT })).toMatchObject({ status: 200 });
  started.start(() => ({ method: 'GET', path: '/log/checkpoint' }));
  started.start(() => ({ method: 'GET', path: `${PUBLISHED}/manifest.json` }));
  started.start(() => ({ method: 'GET', path: `${PUBLISHED}/files/config.json` }));
  for (let writer = 0; writer < WRITERS; writer++) {
    const body = declared(`of-writer-${writer}.txt`, 'A file of theirs.');
    started.start(() => ({ method: 'POST', path: `${DRAFT}/files`, body }));
  }
  return started;
}

describe('the balancer', () => {
  test('shows nobody the figures of the servers', async () => {
    traffic = new Traffic(cluster);
    for (const path of ['/metrics', '/metrics/', '//metrics', '/%6detrics']) {
      expect(await traffic.ask({ method: 'GET', path })).toMatchObject({ status: 404 });
    }
    expect(await traffic.ask({ method: 'GET', path: '/livez' })).toMatchObject({ status: 200 });
  });

  test('goes on with reads while the bucket takes no writes', async () => {
    traffic = new Traffic(cluster);
    const ready = async (server = 0) =>
      (await fetch(`${cluster.servers[server]!.url}/readyz`)).status;
    const shipped = readFileSync(
      new URL('../../deploy/bucket-policy.json', import.meta.url),
      'utf8',
    );
    await setPolicy(
      cluster.bucket,
      cluster.operator,
      shipped.replace('"s3:GetObject", "s3:PutObject"', '"s3:GetObject"'),
    );
    await until(async () => (await ready(0)) === 503 && (await ready(1)) === 503);
    const file = `${PUBLISHED}/files/config.json`;
    expect(await traffic.ask({ method: 'GET', path: file })).toEqual({ status: 200, text: '{}\n' });
    await setPolicy(cluster.bucket, cluster.operator);
    await until(async () => (await ready(0)) === 200 && (await ready(1)) === 200);
  });
});

describe('a rolling upgrade', () => {
  test('loses no request of anybody, reads or writes', async () => {
    traffic = await startClients();
    for (const i of [0, 1]) {
      await traffic.more(100);
      await cluster.restart(i);
    }
    await traffic.more(100);
    await traffic.stop();
    expect(traffic.failures).toEqual([]);
  });
});

describe('a server that is killed', () => {
  test('costs readers nothing, and is back in service when it has started again', async () => {
    traffic = new Traffic(cluster);
    traffic.start(() => ({ method: 'GET', path: '/log/checkpoint' }));
    traffic.start(() => ({ method: 'GET', path: `${PUBLISHED}/files/config.json` }));
    await traffic.more(50);
    await cluster.kill(0);
    await traffic.more(50);
    await cluster.start(0);
    await cluster.kill(1);
    await traffic.more(50);
    await cluster.start(1);
    await traffic.stop();
    expect(traffic.failures).toEqual([]);
  });
});
