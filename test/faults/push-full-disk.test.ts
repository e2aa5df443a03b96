/**
 * A registry whose disk is full refuses what it cannot keep with 507, publishes nothing by
 * halves, and goes on by itself when there is room: a push goes on from the parts that came.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Api } from '../../src/client/api.ts';
import { parseRegistryUrl } from '../../src/client/http.ts';
import { CodedError } from '../../src/core/error.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import type { Store } from '../../src/store/contract.ts';
import { noncesIn } from '../../src/transfer/nonces.ts';
import { push } from '../../src/transfer/push.ts';
import { nonceOf } from '../made/live-registry.ts';
import { noise } from '../made/noise.ts';
import { NO_PAUSES } from '../made/reader.ts';
import { Served } from '../made/served.ts';

const MIB = 2 ** 20;
const RELEASE = parseReleaseName('acme/tiny@v1');
/** What a store does that takes room on a disk. */
const WRITES: readonly (keyof Store)[] = [
  'create',
  'swap',
  'beginUpload',
  'putPart',
  'completeUpload',
];

const pool = new HashingPool({ threads: 1 });
let served: Served;
let folder: string;
/** Writes that still have room; those after them find the disk full. */
let room: number;
let parts: number;

beforeEach(async () => {
  room = Number.POSITIVE_INFINITY;
  parts = 0;
  served = await Served.start({ wrapStore: smallDisk });
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-room-'));
  await mkdir(join(folder, 'model'));
  await writeFile(join(folder, 'model', 'weights.bin'), noise(1, 33 * MIB));
});
afterEach(async () => {
  room = Number.POSITIVE_INFINITY;
  await served.stop();
  await rm(folder, { recursive: true, force: true });
});
afterAll(() => pool.close());

function smallDisk(store: Store): Store {
  return new Proxy(store, {
    get(target, name: keyof Store) {
      const member = target[name];
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        if (WRITES.includes(name) && --room < 0) {
          return Promise.reject(new CodedError('disk-full', 'no room is left'));
        }
        if (name === 'putPart') parts++;
        return (member as (...all: unknown[]) => unknown).apply(target, given);
      };
    },
  });
}

function api(): Api {
  const url = parseRegistryUrl(served.url);
  return new Api({ url, token: served.publisher, pauses: NO_PAUSES });
}

function pushModel() {
  const nonces = noncesIn(join(folder, 'nonces'), () => nonceOf(1));
  const publisher = { host: nodeHost, api: api(), pool, nonces };
  return push(publisher, join(folder, 'model'), RELEASE, { connections: 1 });
}

describe('a full disk', () => {
  test('ends a push at any write, and each push goes on where the last one ended', async () => {
    const refusals: unknown[] = [];
    let done: Awaited<ReturnType<typeof pushModel>> | undefined;
    while (done === undefined && refusals.length < 20) {
      // Each time there is room for one write more.
      room = refusals.length;
      done = await pushModel().catch((error: unknown) => void refusals.push(error));
    }
    expect(refusals.length).toBeGreaterThanOrEqual(4);
    for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'disk-full' });
    room = Number.POSITIVE_INFINITY;
    expect(await api().publish(RELEASE, done!.digest!)).toMatchObject({ digest: done!.digest });
    // Five parts, and again those of which there was no room to note that they came.
    expect(parts).toBeLessThan(2 * 5);
  });

  test('publishes nothing by halves, and publishes when there is room', async () => {
    const { digest } = await pushModel();
    const before = (await served.log.published()).size;
    for (const writes of [0, 1]) {
      room = writes;
      const refused = await served.fetch('/api/v1/drafts/acme/tiny/v1/publish', {
        method: 'POST',
        token: served.publisher,
        json: { digest },
      });
      expect(refused.status).toBe(507);
      expect((await served.log.published()).size).toBe(before);
      expect((await served.fetch('/api/v1/releases/acme/tiny/v1')).status).toBe(404);
    }
    room = Number.POSITIVE_INFINITY;
    expect(await api().publish(RELEASE, digest!)).toMatchObject({ digest });
    expect((await served.fetch('/readyz')).status).toBe(200);
  });
});
