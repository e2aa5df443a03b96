/**
 * An older copy of the whole store is put in the place of the newest one, of a directory and of a
 * bucket: under servers that run, under servers that are started, and under one that remembers
 * nothing. No server that saw more goes on from there, and no client that saw more believes it.
 */
import { cp, rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { resolveRelease } from '../../../src/client/release.ts';
import { CodedError, isCoded } from '../../../src/core/error.ts';
import { parseReference } from '../../../src/core/release/name.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { HashingPool } from '../../../src/hashing/pool.ts';
import { auditRegistry } from '../../../src/transfer/audit/audit.ts';
import { Bucket } from '../cluster/bucket.ts';
import { Load } from '../cluster/load.ts';
import { onTrial, type Trial } from '../cluster/trial.ts';
import { finish, publishNext } from '../load/client.ts';
import { Draw } from '../load/draw.ts';
import type { Program } from '../program.ts';

/** Milliseconds of work before and after the backup. */
const WORK_MS = 2_500;

/** A store that an operator can copy and put back, behind the registry's back. */
interface Copies {
  copy(): Promise<() => Promise<void>>;
}

export const backups: Program = {
  name: 'backups',
  title: 'an older copy of the whole store in the place of the newest',
  times: { short: 2, long: 6 },
  async run({ seed, times, say }) {
    const pool = new HashingPool({ threads: 1 });
    const bucket = await Bucket.start();
    const draw = new Draw(seed);
    const told: string[] = [];
    try {
      for (let n = 0; n < times; n++) {
        const prefix = `backups-${n}`;
        const isBucket = n % 2 === 0;
        const options = isBucket
          ? { store: bucket.address(prefix), env: bucket.env(), servers: 2 }
          : { servers: 1 };
        const said = await onTrial({ pool, ...options }, (trial) => {
          const copies = isBucket
            ? copiesOfBucket(bucket, prefix)
            : copiesOfDirectory(trial.world.sandbox.path('store'));
          return restoreOld(trial, copies, draw);
        });
        told.push(`a ${isBucket ? 'bucket' : 'directory'}: ${said}`);
        say(told.at(-1)!);
      }
    } finally {
      await pool.close();
      await bucket.remove();
    }
    return `${times} restored backups; ${told.join('; ')}`;
  },
};

function copiesOfBucket(bucket: Bucket, prefix: string): Copies {
  return {
    async copy() {
      const objects = await bucket.copy(prefix);
      return () => bucket.restore(prefix, objects);
    },
  };
}

function copiesOfDirectory(directory: string): Copies {
  let copies = 0;
  return {
    async copy() {
      const copy = `${directory}-${++copies}`;
      await cp(directory, copy, { recursive: true });
      return async () => {
        await rm(directory, { recursive: true });
        await cp(copy, directory, { recursive: true });
      };
    },
  };
}

async function restoreOld(trial: Trial, copies: Copies, draw: Draw): Promise<string> {
  const { world, cluster, shown } = trial;
  await workFor(trial, WORK_MS * (0.5 + draw.fraction()));
  const old = await copies.copy();
  const before = world.journal.describe();
  await workFor(trial, WORK_MS * (0.5 + draw.fraction()));
  // What everybody finishes is what a client has seen for sure.
  await finish(world.client(cluster.url));
  await world.checks.require(shown, 'the work after the backup');
  const newest = await copies.copy();

  await old();
  await requireNothingLogged(trial);
  for (const node of cluster.nodes) await node.kill();
  for (const node of cluster.nodes) await requireRefused(node.begin().listening);

  // One that remembers nothing cannot know; the clients do.
  const [node] = cluster.nodes;
  for (const each of cluster.nodes) await rm(world.sandbox.path(each.index), { recursive: true });
  await node!.start();
  await requireDisbelieved(trial);
  await node!.kill();
  await rm(world.sandbox.path(node!.index), { recursive: true });

  await newest();
  await Promise.all(cluster.nodes.map((each) => each.start()));
  await world.checks.require(shown, 'the newest copy was put back');
  return `${before}, then ${world.journal.describe()}`;
}

async function workFor({ world, cluster, shown }: Trial, milliseconds: number): Promise<void> {
  const load = Load.start(world, cluster);
  await Promise.race([pause(milliseconds), load.ended]);
  await load.stop();
  await world.checks.require(shown, 'some work');
}

/** The servers that run have seen more: they acknowledge nothing on top of the old copy. */
async function requireNothingLogged({ world, cluster }: Trial): Promise<void> {
  const { releases } = world.journal;
  const acknowledged = await publishNext(world.client(cluster.url)).then(
    () => true,
    (error) => {
      if (isCoded(error)) return false;
      throw error;
    },
  );
  if (acknowledged) throw new Error('a server logged on top of an older copy of its store');
  // What was begun there was begun on a store that is about to go away.
  releases.splice(0, releases.length, ...releases.filter((line) => line.acknowledged));
}

async function requireRefused(starting: Promise<void>): Promise<void> {
  const refusal = await starting.then(
    () => 'it listens',
    (error: Error) => error.message,
  );
  if (!/was restored from an older copy|holds another history/.test(refusal)) {
    throw new Error(`a server on an older copy was not refused as such: ${refusal}`);
  }
}

/** Nobody who saw more takes what is shown now for the registry that they know. */
async function requireDisbelieved({ world, cluster, shown }: Trial): Promise<void> {
  const { api } = world.client(cluster.url);
  const reader = { host: nodeHost, api, pins: shown.pins, clock: Date.now };
  const newest = world.journal.releases.filter((line) => line.acknowledged).at(-1)!;
  const looks: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['an audit', async () => requireGood(await auditRegistry(reader))],
    ['a reader', () => resolveRelease(reader, parseReference(newest.reference))],
  ];
  for (const [who, look] of looks) {
    const code = await look().then(
      () => 'nothing',
      (error) => (isCoded(error) ? error.code : String(error)),
    );
    if (!['rolled-back', 'fork', 'stale'].includes(code)) {
      throw new Error(`${who} said ${code} to an older copy`);
    }
  }
}

function requireGood({ violations }: Awaited<ReturnType<typeof auditRegistry>>): void {
  const [first] = violations;
  if (first !== undefined) throw new CodedError(first.code, first.message);
}
