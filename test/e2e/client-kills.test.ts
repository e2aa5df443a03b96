/** kill -9 of `push` and of `pull`: the same command again goes on, and nothing wrong has a final name. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Draw } from '../faults/load/draw.ts';
import { Sandbox, type ServerProcess } from './sandbox.ts';

const SEED = Number(process.env.WEIGHHOUSE_SEED ?? Math.floor(Math.random() * 2 ** 31));
const KILLS = 6;
/** Runs of one command; those that end before their kill do not count as kills. */
const MAX_RUNS = 40;
/** What a command takes, in milliseconds, before the first one was seen to end. */
const FIRST_GUESS_MS = 1500;
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

/**
 * Starts a command again and again and kills it after a random part of the time that it takes,
 * until it was killed `KILLS` times. How long that is, each run that ends by itself tells anew:
 * a run that goes on where another stopped has less to do.
 */
async function killRepeatedly(
  args: readonly string[],
  afterEach: () => Promise<void> = async () => {},
): Promise<void> {
  let expected = FIRST_GUESS_MS;
  let killed = 0;
  for (let run = 0; run < MAX_RUNS && killed < KILLS; run++) {
    const begun = performance.now();
    const { child, ended } = sandbox.start(...args);
    await Promise.race([pause(draw.fraction() * expected), ended]);
    child.kill('SIGKILL');
    if ((await ended).signal === 'SIGKILL') killed++;
    else expected = Math.min(expected, performance.now() - begun);
    await afterEach();
  }
  expect(killed).toBe(KILLS);
}

describe(`a client that is killed at random points (WEIGHHOUSE_SEED=${SEED})`, () => {
  test('push goes on where it was, and seals what it would have sealed', async () => {
    await killRepeatedly(['push', 'model', 'acme/killed@1']);
    const { digest } = await sandbox.json('push', 'model', 'acme/killed@1');
    expect(await sandbox.json('status', 'acme/killed@1')).toMatchObject({
      state: 'sealed',
      digest,
      missing: [],
    });
    expect(await sandbox.json('push', 'model', 'acme/killed@1')).toMatchObject({ digest });
  }, 60_000);

  test('pull goes on where it was; whatever has its final name is right', async () => {
    await sandbox.publish('acme/pulled@1', FILES);
    await killRepeatedly(['pull', 'acme/pulled', 'pulled'], () => expectNothingWrong('pulled'));
    await sandbox.json('pull', 'acme/pulled', 'pulled');
    const { ok, files } = await sandbox.json('verify', 'pulled', '--full');
    expect({ ok, files }).toEqual({ ok: true, files: Object.keys(FILES).length });
    expect(await sandbox.json('pull', 'acme/pulled', 'pulled')).toMatchObject({ fetched: 0 });
  }, 60_000);
});

async function expectNothingWrong(folder: string): Promise<void> {
  for (const [path, bytes] of Object.entries(FILES)) {
    const file = sandbox.path(folder, path);
    if (existsSync(file)) expect(Buffer.compare(await readFile(file), bytes)).toBe(0);
  }
}
