/** kill -9 of `push` and of `pull`: the same command again goes on, and nothing wrong has a final name. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Draw } from './kills/draw.ts';
import { Sandbox, type ServerProcess } from './sandbox.ts';

const SEED = Number(process.env.WEIGHHOUSE_SEED ?? Math.floor(Math.random() * 2 ** 31));
const KILLS = 6;
const MIB = 2 ** 20;

/** Several chunks in one file, and several files. */
const FILES: Readonly<Record<string, Uint8Array>> = {
  'large.bin': bytesOf(1, 20 * MIB),
  'small/a.bin': bytesOf(2, MIB),
  'small/b.bin': bytesOf(3, MIB),
  'README.md': new TextEncoder().encode('# Killed\n'),
};

let sandbox: Sandbox;
let server: ServerProcess;
let draw: Draw;

beforeAll(async () => {
  sandbox = await Sandbox.make();
  const made = await sandbox.init('acme');
  server = await sandbox.serve();
  await sandbox.trust(made);
  await sandbox.write('model', FILES);
  draw = new Draw(SEED);
}, 30_000);

afterAll(async () => {
  await server?.stop();
  await sandbox?.remove();
});

function bytesOf(seed: number, length: number): Uint8Array {
  const block = createHash('sha512').update(`${seed}`).digest();
  return Buffer.alloc(length, block);
}

/** Runs a command to its end, and says in milliseconds how long that took. */
async function measure(...args: readonly string[]): Promise<number> {
  const begun = performance.now();
  await sandbox.json(...args);
  return performance.now() - begun;
}

/** Starts a command and kills it after a random part of `milliseconds`; true if it lived to be killed. */
async function killWithin(milliseconds: number, ...args: readonly string[]): Promise<boolean> {
  const { child, ended } = sandbox.start(...args);
  await pause(draw.fraction() * milliseconds);
  child.kill('SIGKILL');
  return (await ended).signal === 'SIGKILL';
}

describe(`a client that is killed at random points (WEIGHHOUSE_SEED=${SEED})`, () => {
  test('push goes on where it was, and seals what it would have sealed', async () => {
    const whole = await measure('push', 'model', 'acme/whole@1');
    let killed = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      if (await killWithin(whole, 'push', 'model', 'acme/killed@1')) killed++;
    }
    expect(killed).toBeGreaterThan(0);
    const { digest } = await sandbox.json('push', 'model', 'acme/killed@1');
    expect(await sandbox.json('status', 'acme/killed@1')).toMatchObject({
      state: 'sealed',
      digest,
      missing: [],
    });
    expect(await sandbox.json('push', 'model', 'acme/killed@1')).toMatchObject({ digest });
    await sandbox.json('publish', 'acme/killed@1', '--digest', digest);
  }, 60_000);

  test('pull goes on where it was; whatever has its final name is right', async () => {
    const whole = await measure('pull', 'acme/killed', 'whole');
    let killed = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      if (await killWithin(whole, 'pull', 'acme/killed', 'pulled')) killed++;
      await expectNothingWrong('pulled');
    }
    expect(killed).toBeGreaterThan(0);
    await sandbox.json('pull', 'acme/killed', 'pulled');
    const { ok, files } = await sandbox.json('verify', 'pulled', '--full');
    expect({ ok, files }).toEqual({ ok: true, files: Object.keys(FILES).length });
    expect(await sandbox.json('pull', 'acme/killed', 'pulled')).toMatchObject({ fetched: 0 });
  }, 60_000);
});

async function expectNothingWrong(folder: string): Promise<void> {
  for (const [path, bytes] of Object.entries(FILES)) {
    const file = sandbox.path(folder, path);
    if (existsSync(file)) expect(Buffer.compare(await readFile(file), bytes)).toBe(0);
  }
}
