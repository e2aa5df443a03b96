/** How many machines may wait at the same time, and what servers make of each other's documents. */
import { expect, test } from '@jest/globals';
import pino from 'pino';
import { tokenKey } from '../../src/keyring/jwt.ts';
import { newEd25519Key } from '../../src/keyring/keys.ts';
import type { Authenticator } from '../../src/server/auth.ts';
import { DEVICE_SECONDS, DeviceLogins, MAX_PENDING } from '../../src/server/device-logins.ts';
import { keys } from '../../src/store/keys.ts';
import { Disk } from '../made/memory-store.ts';

const NOW = Date.UTC(2026, 10, 30, 12);
const WINDOW = Math.floor(NOW / 1000 / DEVICE_SECONDS) + 1;
const ASKING = { machine: 'lab-7', address: '192.0.2.1' };

async function open(disk = new Disk()) {
  const store = disk.open();
  const time = { now: NOW };
  const devices = new DeviceLogins({
    store,
    tokens: await tokenKey('weights.example', newEd25519Key()),
    auth: { refuseRevoked: async () => {} } as unknown as Authenticator,
    logger: pino({ level: 'silent' }),
    clock: () => time.now,
  });
  /** What waits already, of whatever servers. */
  const plant = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const fingerprint = n.toString(16).padStart(64, '0');
      await store.create(keys.device(WINDOW, fingerprint, 'asked'), new Uint8Array(1));
      await store.create(keys.device(WINDOW, fingerprint, 'answer'), new Uint8Array(1));
    }
  };
  return { devices, disk, time, plant };
}

test('as many machines wait as may, and no more, until their time is over', async () => {
  const { devices, disk, time, plant } = await open();
  await plant(MAX_PENDING - 1);
  await devices.begin(ASKING);
  await expect(devices.begin(ASKING)).rejects.toThrowWithCode('overloaded');
  time.now += 2 * DEVICE_SECONDS * 1000;
  await devices.begin(ASKING);
  expect(disk.objects.size).toBe(1);
});

test('a code is found until its last second, whichever window it ends in', async () => {
  const { devices, time } = await open();
  for (const offset of [0, 1, 299_000, 599_000, 599_999]) {
    time.now = NOW + offset;
    const { code } = await devices.begin(ASKING);
    expect(await devices.look(code)).toMatchObject({ code, ...ASKING });
    time.now = Math.floor(time.now / 1000) * 1000 + DEVICE_SECONDS * 1000 - 1;
    expect(await devices.look(code)).toMatchObject({ code });
    time.now += 1;
    await expect(devices.look(code)).rejects.toThrowWithCode('not-found');
  }
});

test('what somebody else has written there is left alone, and keeps nobody out', async () => {
  const disk = new Disk();
  const { devices } = await open(disk);
  await disk.open().create('private/devices/notes' as never, new Uint8Array(1));
  await devices.begin(ASKING);
  expect([...disk.objects.keys()]).toContain('private/devices/notes');
});
