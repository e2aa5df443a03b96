/** A server remembers what it found whole, and still sends no byte that was changed afterwards. */
import { closeSync, openSync, statSync, utimesSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { digestOf } from '../../src/core/digest.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { AT_REST_MS } from '../../src/server/whole-chunks.ts';
import { filePath, Served } from '../made/served.ts';

const REFERENCE = 'acme/tiny@v1';
/** A time of whole seconds, which can be set exactly. */
const LONG_AGO = 1_700_000_000;
const WEIGHTS = new Uint8Array(1_000).fill(7);

let served: Served;
let blob: string;
beforeAll(async () => {
  served = await Served.start();
  await served.publish(REFERENCE, { 'weights.bin': WEIGHTS });
  blob = await served.blobOf(REFERENCE, 'weights.bin');
});
afterAll(() => served.stop());

/** Over each protocol that people's tools speak. */
async function everywhere(): Promise<number[]> {
  const paths = [
    filePath(REFERENCE, 'weights.bin'),
    '/acme/tiny/resolve/v1/weights.bin',
    `/v2/acme/tiny/blobs/${digestOf(nodeHost, WEIGHTS)}`,
  ];
  const statuses: number[] = [];
  for (const path of paths) {
    const response = await served.fetch(path);
    await response.bytes();
    statuses.push(response.status);
  }
  return statuses;
}

/** Changes one byte, and sets back the times of the file that anybody can set. */
function tamper(): void {
  const { ctimeNs } = statSync(blob, { bigint: true });
  do {
    const file = openSync(blob, 'r+');
    writeSync(file, Uint8Array.of(8), 0, 1, 500);
    closeSync(file);
    utimesSync(blob, LONG_AGO, LONG_AGO);
  } while (statSync(blob, { bigint: true }).ctimeNs === ctimeNs);
}

test('a byte that changed after many have read it is sent to nobody', async () => {
  utimesSync(blob, LONG_AGO, LONG_AGO);
  served.pass(AT_REST_MS);
  for (let reader = 0; reader < 3; reader++) expect(await everywhere()).toEqual([200, 200, 200]);
  tamper();
  expect(await everywhere()).toEqual([500, 500, 500]);
  served.pass(AT_REST_MS);
  expect(await everywhere()).toEqual([500, 500, 500]);
});
