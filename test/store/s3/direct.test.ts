/** The addresses that readers are sent to; that they are good is seen at a real server (test/contract). */
import { expect, test } from '@jest/globals';
import type { ReadAs } from '../../../src/store/contract.ts';
import { keys } from '../../../src/store/keys.ts';
import { openClients } from '../../../src/store/s3/client.ts';
import { BucketDirect, SHARED_SECONDS } from '../../../src/store/s3/direct.ts';
import { BucketUploads } from '../../../src/store/s3/uploads.ts';

const KEY = keys.blob('00'.repeat(16));
const AS: ReadAs = { type: 'text/plain', disposition: 'attachment', cache: 'no-store' };

function made() {
  const time = { now: Date.parse('2026-01-01') };
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
  const options = { endpoint: 'http://127.0.0.1:1', region: 'us-east-1', credentials };
  const bucket = openClients(options, 'bucket', '');
  const direct = new BucketDirect(bucket, new BucketUploads(bucket), () => time.now);
  return { time, direct };
}

test('readers of one object get the same address for a while, good for all of its time', async () => {
  const { time, direct } = made();
  const address = await direct.signRead(KEY, AS, 60);
  expect(new URL(address).searchParams.get('X-Amz-Expires')).toBe(String(60 + SHARED_SECONDS));
  time.now += SHARED_SECONDS * 1_000 - 1;
  const shared = direct.signRead(KEY, AS, 60);
  expect(shared).toBe(direct.signRead(KEY, AS, 60));
  expect(await shared).toBe(address);
  time.now += 1;
  expect(direct.signRead(KEY, AS, 60)).not.toBe(shared);
});

test('another object, or another way to take it, has another address', async () => {
  const { direct } = made();
  const addresses = await Promise.all([
    direct.signRead(KEY, AS, 60),
    direct.signRead(KEY, AS, 61),
    direct.signRead(keys.blob('01'.repeat(16)), AS, 60),
    ...Object.keys(AS).map((field) => direct.signRead(KEY, { ...AS, [field]: 'x' }, 60)),
  ]);
  expect(new Set(addresses).size).toBe(addresses.length);
});
