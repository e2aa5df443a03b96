/**
 * One of several servers that write one log: a process with a sequencer on the bucket, and as
 * many callers as it is told, each of which appends again once it is answered.
 *
 * Started by `many-writers.ts`, with which it speaks over the channel of `fork`.
 */
import { randomBytes } from 'node:crypto';
import { openSequencer, type Sequencer } from '../../src/log/sequencer.ts';
import { openBucket } from '../../src/store/s3.ts';
import { freshEntry } from './bench-log.ts';
import { type Told, type WriterJob, writersLog } from './many-writers.ts';

const job = JSON.parse(process.argv[2]!) as WriterJob;
const store = openBucket(job.address, job.server);
let [lost, commits] = [0, 0];
const sequencer = await openSequencer({
  ...writersLog(store),
  clock: Date.now,
  random: () => new Uint8Array(randomBytes(16)),
  observer: {
    lost: () => {
      lost += 1;
    },
    committed: () => {
      commits += 1;
    },
  },
});
await tell({ kind: 'ready' });
process.once('message', async () => {
  const waits = await keepAsking(sequencer, job);
  const cpu = process.cpuUsage();
  await tell({ kind: 'done', waits, lost, commits, cpu: (cpu.user + cpu.system) / 1e6 });
  await sequencer.close();
  await store.close();
  process.disconnect();
});

/** Milliseconds that each append took, in the order of the answers. */
async function keepAsking(log: Sequencer, { callers, milliseconds }: WriterJob): Promise<number[]> {
  const waits: number[] = [];
  const begun = performance.now();
  const caller = async () => {
    while (performance.now() - begun < milliseconds) {
      const asked = performance.now();
      await log.append({ entries: [freshEntry()] });
      waits.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return waits;
}

/** Resolves once the words are on their way: to disconnect before that would lose them. */
function tell(told: Told): Promise<unknown> {
  return new Promise((resolve) => process.send?.(told, resolve));
}
