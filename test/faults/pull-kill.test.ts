/**
 * A pull that is killed at any moment leaves nothing wrong under a final name, and the same
 * command goes on from there. The moments are drawn from a seed that is printed on failure.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { noise } from '../made/noise.ts';
import { Served } from '../made/served.ts';

const MIB = 2 ** 20;
const KILLS = 3;
/** Milliseconds: longer than the whole pull takes, so that some kills come late. */
const LATEST = 1_200;
const WEIGHHOUSE = join(import.meta.dirname, '..', '..', 'bin', 'weighhouse.js');
const FILES = {
  'a.bin': noise(1, 1_000),
  'b.bin': noise(2, 24 * MIB + 5),
  'c.bin': noise(3, 24 * MIB),
};

let served: Served;
let parent: string;

beforeAll(async () => {
  served = await Served.start();
  parent = await mkdtemp(join(tmpdir(), 'weighhouse-kill-'));
  await served.publish('acme/tiny@v1', FILES);
  await run(['trust', 'add', served.url, '--fingerprint', served.fingerprint]);
}, 60_000);
afterAll(async () => {
  await served.stop();
  await rm(parent, { recursive: true, force: true });
});

function start(command: readonly string[]): ChildProcess {
  const env = { ...process.env, XDG_CONFIG_HOME: join(parent, 'config') };
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  return spawn(process.execPath, [WEIGHHOUSE, ...command, '--json'], { env, stdio: [...stdio] });
}

async function run(command: readonly string[]): Promise<{ status: number; said: string }> {
  const child = start(command);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text) => {
      said += text;
    });
  }
  const [status] = await once(child, 'close');
  return { status, said };
}

test('killed at any moment, a pull leaves nothing wrong and goes on when it is started again', async () => {
  const seed = randomInt(LATEST);
  const folder = join(parent, 'pulled');
  const pull = ['pull', 'acme/tiny@v1', folder, '--url', served.url];
  for (let kill = 0; kill < KILLS; kill++) {
    const moment = (seed + (kill * LATEST) / KILLS) % LATEST;
    const child = start(pull);
    const ended = once(child, 'close');
    await Promise.race([pause(moment), ended]);
    child.kill('SIGKILL');
    await ended;
    for (const [name, bytes] of Object.entries(FILES)) {
      const path = join(folder, name);
      if (!existsSync(path)) continue;
      const right = Buffer.compare(await readFile(path), bytes) === 0;
      expect([seed, kill, name, right]).toEqual([seed, kill, name, true]);
    }
    // Started afresh every other time, so that early kills are met too.
    if (kill % 2 === 1) await rm(folder, { recursive: true, force: true });
  }
  expect(await run(pull)).toMatchObject({ status: 0 });
  expect(await run(['verify', folder])).toMatchObject({ status: 0 });
}, 60_000);
