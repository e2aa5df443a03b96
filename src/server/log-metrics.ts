/** What is counted of the log: of this server's own commits, and of the log as it stands. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { parseCheckpoint } from '../core/log/checkpoint.ts';
import { parseNote } from '../core/note/note.ts';
import { loadLock } from '../log/lock.ts';
import type { LogReader } from '../log/reader.ts';
import type { Observer } from '../log/sequencer.ts';
import type { Store } from '../store/contract.ts';

/** The log as it stands in the store. */
export interface LogStanding {
  /** Leaves that are committed, and leaves that the public sees. */
  readonly size: number;
  readonly published: number;
  /** When the newest commit was begun, in milliseconds since 1970. */
  readonly committed: number;
}

/** Milliseconds between two looks at where the log stands. */
const LOOK_MS = 10_000;

/**
 * Keeps the figures of the log true where other servers commit, too. It looks by itself and not
 * when it is scraped, so that a store that does not answer leaves the other figures readable.
 */
export function followStanding(
  store: Store,
  log: Pick<LogReader, 'published'>,
  told: (standing: LogStanding) => void,
  failed: (cause: unknown) => void,
): NodeJS.Timeout {
  const look = () =>
    readStanding(store, log).then((standing) => standing && told(standing), failed);
  void look();
  return setInterval(look, LOOK_MS).unref();
}

/** Reads where the log stands: two small objects. Undefined where there is no log. */
async function readStanding(
  store: Store,
  log: Pick<LogReader, 'published'>,
): Promise<LogStanding | undefined> {
  const lock = await loadLock(store);
  if (lock === undefined) return undefined;
  const { size } = parseCheckpoint(parseNote(lock.checkpoint).text);
  return { size, published: (await log.published()).size, committed: lock.time };
}

export function createLogMetrics(registry: Registry): {
  readonly log: Observer;
  standing(standing: LogStanding): void;
} {
  const registers = [registry];
  const entries = new Counter({
    name: 'weighhouse_log_entries_total',
    help: 'Entries committed by this server',
    registers,
  });
  const size = new Gauge({
    name: 'weighhouse_log_size',
    help: 'Leaves in the newest committed tree, whichever server committed it',
    registers,
  });
  const published = new Gauge({
    name: 'weighhouse_log_published_size',
    help: 'Leaves in the newest published tree, whichever server published it',
    registers,
  });
  const committed = new Gauge({
    name: 'weighhouse_log_commit_timestamp_seconds',
    help: 'When the newest commit was begun, whichever server made it',
    registers,
  });
  const commits = new Histogram({
    name: 'weighhouse_log_commit_seconds',
    help: 'Time from the start of an attempt to its commit',
    buckets: [0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
    registers,
  });
  const lost = new Counter({
    name: 'weighhouse_log_commits_lost_total',
    help: 'Commits that another server was first to',
    registers,
  });
  const failures = new Counter({
    name: 'weighhouse_log_failures_total',
    help: 'Failures of the log that were tried again',
    registers,
  });
  const stopped = new Gauge({
    name: 'weighhouse_log_stopped',
    help: '1 when this server’s log has stopped for good, for what waiting cannot cure',
    registers,
  });
  return {
    log: {
      committed(commit) {
        entries.inc(commit.entries);
        size.set(commit.size);
        commits.observe(commit.milliseconds / 1000);
      },
      published: (tree) => published.set(tree.size),
      lost: () => lost.inc(),
      failed: () => failures.inc(),
      stopped: () => stopped.set(1),
    },
    standing(standing) {
      size.set(standing.size);
      published.set(standing.published);
      committed.set(standing.committed / 1000);
    },
  };
}
