/**
 * The bucket cannot be reached for a minute: when the servers start, and while they work; because
 * nobody listens there, and because nothing comes back. The servers wait, say that they are not
 * ready, and heal by themselves.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  startToxiproxy,
  type ToxicProxy,
  type Toxiproxy,
} from '../../../scripts/peers/toxiproxy.ts';
import { HashingPool } from '../../../src/hashing/pool.ts';
import { Bucket } from '../cluster/bucket.ts';
import { Load } from '../cluster/load.ts';
import { onTrial, type Trial } from '../cluster/trial.ts';
import type { Program } from '../program.ts';

const LONG_MS = 60_000;
const SHORT_MS = 4_000;

/** How the bucket goes away, and comes back. */
const WAYS: readonly {
  readonly name: string;
  readonly cut: (proxy: ToxicProxy) => Promise<void>;
}[] = [
  { name: 'connections are refused', cut: (proxy) => proxy.enable(false) },
  {
    name: 'nothing comes back',
    cut: (proxy) =>
      proxy.poison({ type: 'timeout', stream: 'downstream', attributes: { timeout: 0 } }),
  },
];

export const outages: Program = {
  name: 'outages',
  title: 'the bucket cannot be reached, at the start and in the middle',
  times: { short: 2, long: 4 },
  async run({ times, isLong, say }) {
    const pool = new HashingPool({ threads: 1 });
    const bucket = await Bucket.start();
    const toxiproxy = await startToxiproxy();
    const milliseconds = isLong ? LONG_MS : SHORT_MS;
    const told: string[] = [];
    try {
      for (let n = 0; n < times; n++) {
        const way = WAYS[n % WAYS.length]!;
        told.push(await outage(bucket, toxiproxy, pool, `outages-${n}`, way, milliseconds));
        say(told.at(-1)!);
      }
    } finally {
      await pool.close();
      await toxiproxy.stop();
      await bucket.remove();
    }
    return `${times} times ${milliseconds / 1000} s at the start and in the middle; ${told.join('; ')}`;
  },
};

async function outage(
  bucket: Bucket,
  toxiproxy: Toxiproxy,
  pool: HashingPool,
  prefix: string,
  way: (typeof WAYS)[number],
  milliseconds: number,
): Promise<string> {
  const proxy = await toxiproxy.proxy(bucket.port);
  const env = bucket.env(`http://127.0.0.1:${proxy.port}`);
  const heal = async () => {
    await proxy.heal();
    await proxy.enable(true);
  };
  return onTrial({ pool, store: bucket.address(prefix), env }, async (trial) => {
    const middle = await inTheMiddle(trial, () => way.cut(proxy), heal, milliseconds);
    const start = await atTheStart(trial, () => way.cut(proxy), heal, milliseconds);
    return `${way.name}: ${start}, ${middle}`;
  });
}

async function inTheMiddle(
  { world, cluster, shown }: Trial,
  cut: () => Promise<void>,
  heal: () => Promise<void>,
  milliseconds: number,
): Promise<string> {
  const load = Load.start(world, cluster);
  await Promise.race([pause(2_000), load.ended]);
  await cut();
  const begun = performance.now();
  await cluster.untilReady(false);
  const red = performance.now() - begun;
  await pause(Math.max(0, milliseconds - red));
  for (const node of cluster.nodes) {
    if (await node.isReady()) throw new Error(`${node.name} is ready without its bucket`);
  }
  const before = performance.now();
  await heal();
  await cluster.untilReady(true);
  const healed = performance.now() - before;
  await load.stop();
  await world.checks.require(shown, 'the bucket was gone in the middle');
  return `red after ${seconds(red)} and ready ${seconds(healed)} after it was back`;
}

async function atTheStart(
  { world, cluster, shown }: Trial,
  cut: () => Promise<void>,
  heal: () => Promise<void>,
  milliseconds: number,
): Promise<string> {
  for (const node of cluster.nodes) await node.stop();
  await cut();
  const starting = cluster.nodes.map((node) => node.begin().listening);
  const ended = Promise.race(starting).then(() => 'listens');
  if ((await Promise.race([ended, pause(milliseconds)])) !== undefined) {
    throw new Error('a server listens without its bucket');
  }
  const before = performance.now();
  await heal();
  await Promise.all(starting);
  await cluster.untilReady(true);
  const healed = performance.now() - before;
  await world.checks.require(shown, 'the bucket was gone at the start');
  return `started ${seconds(healed)} after it was there`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
