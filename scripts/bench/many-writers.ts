/** Several processes that write one log in one bucket, all at once. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseOrigin } from '../../src/core/log/checkpoint.ts';
import { signingKey } from '../../src/core/note/key.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { createLog, type LogOptions } from '../../src/log/recover.ts';
import type { Store } from '../../src/store/contract.ts';
import { openBucket } from '../../src/store/s3.ts';
import type { Seaweedfs } from '../peers/seaweedfs.ts';

const PROGRAM = join(import.meta.dirname, 'log-writer.ts');
const ORIGIN = parseOrigin('log.example');

/** What a writer is told when it is started. */
export interface WriterJob {
  readonly address: string;
  readonly server: Pick<Seaweedfs, 'endpoint' | 'region' | 'credentials'>;
  readonly callers: number;
  /** How long they go on asking. */
  readonly milliseconds: number;
}

/** What a writer tells. */
export type Told = { readonly kind: 'ready' } | WriterReport;

export interface WriterReport {
  readonly kind: 'done';
  /** Milliseconds, one for each entry. */
  readonly waits: readonly number[];
  /** Commits, and attempts that lost to another process. */
  readonly commits: number;
  readonly lost: number;
  /** Seconds of processor. */
  readonly cpu: number;
}

/** The log that they write. */
export function writersLog(store: Store): LogOptions {
  const key = signingKey(nodeHost, ORIGIN, new Uint8Array(32).fill(7));
  return { store, host: nodeHost, origin: ORIGIN, keys: [key] };
}

export interface Together {
  readonly reports: readonly WriterReport[];
  readonly seconds: number;
  /** Of the bucket in which the log lies. */
  readonly address: string;
}

/**
 * Lets a process for each number of `callers` write a new log: what each saw. `disturb` is
 * given the processes once they all write.
 */
export async function writeTogether(
  server: Seaweedfs,
  callers: readonly number[],
  milliseconds: number,
  disturb: (writers: readonly ChildProcess[]) => Promise<void> = async () => {},
): Promise<Together> {
  const address = `s3://${server.bucket}/${randomBytes(8).toString('hex')}`;
  const { endpoint, region, credentials } = server;
  const store = openBucket(address, server);
  const random = new Uint8Array(randomBytes(16));
  await createLog({ ...writersLog(store), time: Date.now(), random });
  await store.close();
  const jobs = callers.map((count) => {
    const job = {
      address,
      server: { endpoint, region, credentials },
      callers: count,
      milliseconds,
    };
    return fork(PROGRAM, [JSON.stringify(job)], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
  });
  await Promise.all(jobs.map(nextWord));
  const begun = performance.now();
  const reporting = jobs.map(async (child) => {
    child.send('go');
    return (await nextWord(child)) as WriterReport;
  });
  const [reports] = await Promise.all([Promise.all(reporting), disturb(jobs)]);
  return { reports, seconds: (performance.now() - begun) / 1000, address };
}

/** What it says next. Its end is heard by the channel's: words that come before it are not lost. */
function nextWord(child: ChildProcess): Promise<Told> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error('a writer ended before it had told what it saw'));
    child.once('disconnect', fail);
    child.once('message', (word) => {
      child.off('disconnect', fail);
      resolve(word as Told);
    });
  });
}
