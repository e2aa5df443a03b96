/**
 * What a publish takes: from the request over HTTP until the client holds a proof that
 * verifies; and in the log, whether a commit costs more when the log is long.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Api } from '../../../src/client/api.ts';
import { parseRegistryUrl } from '../../../src/client/http.ts';
import { parseDigest } from '../../../src/core/digest.ts';
import { leafHash } from '../../../src/core/log/merkle.ts';
import { openTlogProof, parseTlogProof } from '../../../src/core/log/tlog-proof.ts';
import { parseVerifierKey } from '../../../src/core/note/key.ts';
import { noteVerifier } from '../../../src/core/note/note.ts';
import { formatReleaseName, parseReleaseName } from '../../../src/core/release/name.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { type BenchLog, freshEntry, openBenchLog } from '../bench-log.ts';
import { BENCH_ORIGIN, BenchRegistry } from '../bench-registry.ts';
import { type Bench, compare, type Figure, median, type Part, percentile } from '../figure.ts';
import { takeTurns } from '../turns.ts';

const COMMAND = { ours: 'npm run bench -- publish' };
/** Releases whose publication is timed, in each round. */
const RELEASES = 20;
const [SHORT, LONG] = [1_000, 1_000_000];
/** Commits that one turn of a log takes the median of. */
const COMMITS = 40;
/** Leaves of a publish: the release and its record. */
const LEAVES = 2;
/** Entries that are appended at once while a log is filled: half a pool. */
const FILLING = 4_096;

export const part: Part = {
  about:
    'publish until its proof verifies; the cost of a commit to a log of 10^6 entries; its start',
  async *measure(bench) {
    yield await untilProof(bench);
    yield* longBesideShort(bench);
  },
};

async function untilProof(bench: Bench): Promise<Figure> {
  const registry = await BenchRegistry.start(bench.folder);
  try {
    const runs = [];
    for (let round = 0; round < bench.rounds; round++) {
      const times = [];
      for (let i = 0; i < RELEASES; i++) {
        times.push(await timePublish(registry, `acme/small@r${round}.${i}`));
      }
      runs.push({ p50: percentile(times, 0.5), p99: percentile(times, 0.99) });
    }
    const ours = Math.round(median(runs.map(({ p99 }) => p99)));
    const figure = 'publish until a proof verifies: 99th percentile';
    return { figure, unit: 'ms', ours, atMost: 1000, command: COMMAND, runs };
  } finally {
    await registry.close();
  }
}

/** Milliseconds from the request to publish until the proof of the entry verifies. */
async function timePublish(registry: BenchRegistry, reference: string): Promise<number> {
  const release = parseReleaseName(reference);
  const folder = join(registry.folder, 'small', reference.replace(/\W/g, '-'));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ reference }));
  const { digest } = registry.run(['push', folder, formatReleaseName(release)]);
  const api = new Api({ url: parseRegistryUrl(registry.url), token: registry.token });
  const verifier = noteVerifier(parseVerifierKey(nodeHost, registry.vkey));
  const begun = performance.now();
  await api.publish(release, parseDigest(digest));
  const [entry, proof] = await Promise.all([
    api.document(release, 'entry'),
    api.document(release, 'release.tlog-proof'),
  ]);
  const trust = { origin: BENCH_ORIGIN, logVerifiers: [verifier] };
  const opened = openTlogProof(nodeHost, parseTlogProof(proof), leafHash(nodeHost, entry), trust);
  if (!opened.ok) throw new Error(opened.message);
  return performance.now() - begun;
}

/** A commit to a long log beside one to a short log, and how long the long one takes to start. */
async function* longBesideShort(bench: Bench): AsyncGenerator<Figure> {
  const [short, long] = [await TimedLog.fill(bench, SHORT), await TimedLog.fill(bench, LONG)];
  try {
    const runs = await takeTurns(bench.rounds, {
      ours: () => long.timeCommits(),
      peer: () => short.timeCommits(),
    });
    const figure = `commit of a publish to a log of ${LONG} entries, beside one of ${SHORT}`;
    yield compare({ figure, unit: 'ms', atMost: 1.2, command: COMMAND }, runs);
    const starts = [];
    for (let round = 0; round < bench.rounds; round++) {
      starts.push({ start: await long.log.restart() });
    }
    yield {
      figure: `start of the sequencer on a log of ${LONG} entries`,
      unit: 's',
      ours: median(starts.map(({ start }) => start)),
      atMost: 3,
      command: COMMAND,
      runs: starts,
    };
  } finally {
    await short.log.close();
    await long.log.close();
  }
}

/** A log that says how long each of its commits took, without what an entry waits before. */
class TimedLog {
  readonly log: BenchLog;
  readonly #commits: number[];

  private constructor(log: BenchLog, commits: number[]) {
    this.log = log;
    this.#commits = commits;
  }

  /** A log of `size` entries. */
  static async fill(bench: Bench, size: number): Promise<TimedLog> {
    const commits: number[] = [];
    const observer = {
      committed: ({ milliseconds }: { milliseconds: number }) => commits.push(milliseconds),
    };
    const log = await openBenchLog(bench.folder, { period: 1, observer });
    while (log.sequencer.committed().size < size) {
      const left = Math.min(FILLING, size - log.sequencer.committed().size);
      await log.sequencer.append({ entries: Array.from({ length: left }, freshEntry) });
    }
    return new TimedLog(log, commits);
  }

  /** The median of some commits, one after the other, in milliseconds. */
  async timeCommits(): Promise<number> {
    this.#commits.length = 0;
    for (let i = 0; i < COMMITS; i++) {
      await this.log.sequencer.append({ entries: Array.from({ length: LEAVES }, freshEntry) });
    }
    return median(this.#commits);
  }
}
