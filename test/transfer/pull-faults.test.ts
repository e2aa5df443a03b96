/**
 * Whatever a server or a network does, a pull ends with verified files or with an error, and
 * never with a wrong file under its final name. Faults are drawn from a seed that is printed;
 * WEIGHHOUSE_SEED repeats one run.
 */
import { randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Reader } from '../../src/client/release.ts';
import { CodedError } from '../../src/core/error.ts';
import { parseReference } from '../../src/core/release/name.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { HashingPool } from '../../src/hashing/pool.ts';
import { pull } from '../../src/transfer/pull.ts';
import { verifyFolder } from '../../src/transfer/verify.ts';
import { noise } from '../made/noise.ts';
import { pinnedReader } from '../made/reader.ts';
import { type Contents, ServedRegistry, type Spoil } from '../made/served-registry.ts';

const MIB = 2 ** 20;
const RUNS = 4;
const ASKED = parseReference('acme/tiny@v1');
const FILES: Contents = {
  'a.bin': noise(1, 1),
  'b.bin': noise(2, 200_000),
  'c.bin': noise(3, 8 * MIB),
  'd.bin': noise(4, 8 * MIB + 1),
  'e.bin': noise(5, 33 * MIB + 17),
};

const pool = new HashingPool();
let served: ServedRegistry;
let reader: Reader;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-faults-'));
  served = await ServedRegistry.start();
  served.publish('acme/tiny@v1', FILES);
  reader = await pinnedReader(served);
});
afterEach(async () => {
  await served.close();
  await rm(folder, { recursive: true, force: true });
});
afterAll(() => pool.close());

/** What can go wrong with one answer. */
const FAULTS: readonly ((
  response: ServerResponse,
  content: Parameters<Spoil>[2],
  random: (below: number) => number,
) => void)[] = [
  // The connection is dropped before any answer.
  (response) => response.destroy(),
  // It is dropped within the body.
  (response, content, random) => {
    writeHead(response, content);
    response.write(content.bytes.subarray(0, random(content.bytes.length)), () =>
      response.destroy(),
    );
  },
  // One bit of it is wrong.
  (response, content, random) => {
    const wrong = content.bytes.slice();
    wrong[random(wrong.length)]! ^= 1 << random(8);
    writeHead(response, content);
    response.end(wrong);
  },
  // Two bytes are exchanged with the bytes of another place.
  (response, content) => {
    writeHead(response, content);
    response.end(content.bytes.slice().reverse());
  },
  // It says that it is shorter than it is, or longer.
  (response, content, random) => {
    const length = Math.max(0, content.bytes.length + (random(2) === 0 ? -1 : 1));
    writeHead(response, content, { 'content-length': length });
    response.write(content.bytes, () => response.destroy());
  },
  // It is another range than was asked for.
  (response, content) => {
    const { start, size, bytes } = content;
    const range = `bytes ${start + 1}-${start + bytes.length}/${size}`;
    writeHead(response, content, { 'content-range': range });
    response.end(bytes);
  },
  // The server has trouble of its own.
  (response) => response.writeHead(503, { 'retry-after': '0', 'content-length': 0 }).end(),
  // Something answers that is no HTTP.
  (response) => response.socket?.end('SSH-2.0-OpenSSH_9.9\r\n\r\n'),
  // An answer without a length.
  (response, content) => {
    response.writeHead(206, { 'content-range': 'bytes 0-1/2' });
    response.end(content.bytes);
  },
];

function writeHead(
  response: ServerResponse,
  { bytes, start, size }: Parameters<Spoil>[2],
  changes: Record<string, string | number> = {},
): void {
  // The library would refuse to send what it is told is a lie.
  response.strictContentLength = false;
  response.writeHead(206, {
    'content-length': bytes.length,
    'content-range': `bytes ${start}-${start + bytes.length - 1}/${size}`,
    ...changes,
  });
}

/** A small generator of our own (mulberry32), so that a seed means the same everywhere. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Spoils about one answer in `rarity`. */
function spoiler(random: (below: number) => number, rarity: number): Spoil {
  return (_request: IncomingMessage, response, content) => {
    if (random(rarity) > 0) return false;
    FAULTS[random(FAULTS.length)]!(response, content, random);
    return true;
  };
}

/** Every file that has its final name is right. */
async function requireNothingWrong(): Promise<void> {
  for (const name of readdirSync(folder)) {
    if (name === '.weighhouse' || name === 'model.sig') continue;
    expect(Buffer.compare(await readFile(join(folder, name)), FILES[name]!)).toBe(0);
  }
}

test('whatever goes wrong, nothing wrong ever has its final name, and the pull can be repeated', async () => {
  const seed = Number(process.env.WEIGHHOUSE_SEED ?? randomInt(2 ** 31));
  const random = generator(seed);
  for (let run = 0; run < RUNS; run++) {
    await rm(folder, { recursive: true, force: true });
    served.spoil = spoiler(random, 1 + random(4));
    const outcome = await pull(reader, pool, ASKED, folder).catch((error: unknown) => error);
    const context = `seed ${seed}, run ${run}: ${outcome instanceof Error ? outcome.message : 'done'}`;
    await requireNothingWrong();
    if (outcome instanceof Error)
      expect([context, outcome]).toEqual([context, expect.any(CodedError)]);
    served.spoil = () => false;
    await pull(reader, pool, ASKED, folder);
    const verified = await verifyFolder({ host: nodeHost, pins: reader.pins, pool }, folder);
    expect([context, verified.ok]).toEqual([context, true]);
  }
}, 60_000);

test('a pull gets through a network that drops every third answer', async () => {
  let answers = 0;
  served.spoil = (_, response, content) => {
    if (++answers % 3 > 0) return false;
    FAULTS[1]!(response, content, () => Math.floor(content.bytes.length / 2));
    return true;
  };
  await pull(reader, pool, ASKED, folder);
  await requireNothingWrong();
  expect(await verifyFolder({ host: nodeHost, pins: reader.pins, pool }, folder)).toMatchObject({
    ok: true,
  });
});
