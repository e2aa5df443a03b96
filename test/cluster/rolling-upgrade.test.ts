/** Servers that come and go behind the balancer, while clients go on asking. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
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
