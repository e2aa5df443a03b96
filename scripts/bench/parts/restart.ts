/**
 * A server that starts with an empty disk on a bucket with a log of a million entries: until it
 * is ready, and until its index is whole again, so that lists are answered too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseOrigin } from '../../../src/core/log/checkpoint.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { initRegistry } from '../../../src/operator/init.ts';
import { openBucket } from '../../../src/store/s3.ts';
import { type Seaweedfs, startSeaweedfs } from '../../peers/seaweedfs.ts';
import { compiled } from '../compiled.ts';
import { median, type Part } from '../figure.ts';
import { fillLog } from '../filled-log.ts';

const ENTRIES = 1_000_000;
const COMMAND = { ours: 'npm run bench -- restart' };

export const part: Part = {
  about: 'a server with an empty disk on a bucket with 10^6 entries: seconds until it is ready',
  async *measure(bench) {
    const folder = await mkdtemp(join(bench.folder, 'restart-'));
    const server = await startSeaweedfs(folder);
    try {
      const keys = join(folder, 'keys');
      const begun = performance.now();
      await fill(server, keys, folder);
      bench.say(`  filled in ${Math.round((performance.now() - begun) / 1000)} s`);
      const program = compiled(bench.folder);
      const runs: { readonly ready: number; readonly listed: number }[] = [];
      for (let round = 0; round < bench.rounds; round++) {
        const index = join(folder, `index-${round}`);
        runs.push(await timeStart(server, [program, ...flags(server, keys, index)]));
        bench.say(`  ${JSON.stringify(runs.at(-1))}`);
      }
      const about = { unit: 's', command: COMMAND, runs };
      const of = (field: 'ready' | 'listed') => median(runs.map((run) => run[field]));
      const what = 'start with an empty disk on a bucket with 10^6 entries, until';
      yield { figure: `${what} it is ready`, ours: of('ready'), atMost: 30, ...about };
      yield { figure: `${what} lists are answered`, ours: of('listed'), ...about };
    } finally {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function address({ bucket }: Seaweedfs): string {
  return `s3://${bucket}/restart`;
}

function flags(server: Seaweedfs, keys: string, index: string): string[] {
  const where = ['--store', address(server), '--keys', keys, '--index', index];
  return ['serve', ...where, '--listen', '127.0.0.1:0'];
}

/** Makes a registry in the bucket, and fills its log up. */
async function fill(server: Seaweedfs, keys: string, folder: string): Promise<void> {
  const store = openBucket(address(server), server);
  await initRegistry(store, {
    host: nodeHost,
    origin: parseOrigin('bench.test'),
    keysDirectory: keys,
    rootKeyFile: join(folder, 'root.key'),
    ownerKeyFile: join(folder, 'owner.key'),
    passphrase: undefined,
    now: Date.now(),
    random: new Uint8Array(randomBytes(32)),
  });
  await fillLog(store, keys, ENTRIES);
}

/** Seconds from the command to a 200 of `/readyz`, and to one of a list. */
async function timeStart({ endpoint, region, credentials }: Seaweedfs, command: readonly string[]) {
  const begun = performance.now();
  const seconds = () => Number(((performance.now() - begun) / 1000).toFixed(2));
  const child = spawn(process.execPath, command, {
    env: {
      ...process.env,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const url = await listening(child);
    const until = async (path: string) => {
      while ((await fetch(url + path)).status !== 200) await sleep(50);
      return seconds();
    };
    return { ready: await until('/readyz'), listed: await until('/api/v1/releases') };
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout?.on('data', (text: Buffer) => {
      said += text;
      const url = /listening on (http:\S+)/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', () => reject(new Error(`the server ended: ${said}`)));
  });
}
