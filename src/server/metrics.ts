/**
 * Prometheus metrics. Labels are route templates and status classes, never anything that a
 * client chooses: what a client names would fill the memory (CVE-2026-49835).
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Observer } from '../log/sequencer.ts';
import type { EndedRequest } from './request-log.ts';

export interface Metrics {
  readonly registry: Registry;
  /** Told of every request that has ended. */
  request(ended: EndedRequest): void;
  /** Where the places of requests are counted, by their class. */
  loads(counts: () => readonly LoadCount[]): void;
  /** Told of each draft or file that a quota refuses; of whom is not counted. */
  quotaRefused(): void;
  /** Told by the sequencer. */
  readonly log: Observer;
}

interface LoadCount {
  readonly load: string;
  readonly running: number;
  readonly waiting: number;
  /** Since the server began. */
  readonly refused: number;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const duration = new Histogram({
    name: 'weighhouse_http_request_duration_seconds',
    help: 'Time from the request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.25, 0.5, 1, 5, 30, 300],
    registers,
  });
  const sent = new Counter({
    name: 'weighhouse_http_sent_bytes_total',
    help: 'Bytes of answers, headers included',
    labelNames: ['route'],
    registers,
  });
  const entries = new Counter({
    name: 'weighhouse_log_entries_total',
    help: 'Entries committed by this server',
    registers,
  });
  const size = new Gauge({
    name: 'weighhouse_log_size',
    help: 'Leaves in the newest committed tree',
    registers,
  });
  const published = new Gauge({
    name: 'weighhouse_log_published_size',
    help: 'Leaves in the newest published tree',
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

  const overQuota = new Counter({
    name: 'weighhouse_quota_refusals_total',
    help: 'Drafts and files that the quota of their namespace refused',
    registers,
  });
  const loads = watchLoads(registry);

  return {
    registry,
    loads,
    quotaRefused: () => overQuota.inc(),
    request({ method, route, status, sent: bytes, seconds }) {
      duration.observe({ method, route, status: `${Math.floor(status / 100)}xx` }, seconds);
      sent.inc({ route }, bytes);
    },
    log: {
      committed(commit) {
        entries.inc(commit.entries);
        size.set(commit.size);
        commits.observe(commit.milliseconds / 1000);
      },
      published: (tree) => published.set(tree.size),
      lost: () => lost.inc(),
      failed: () => failures.inc(),
    },
  };
}

/** Gauges that ask when they are read. */
function watchLoads(registry: Registry): (counts: () => readonly LoadCount[]) => void {
  let source: () => readonly LoadCount[] = () => [];
  const registers = [registry];
  const gauge = (name: string, help: string, of: (it: LoadCount) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['load'],
      registers,
      collect() {
        for (const it of source()) this.set({ load: it.load }, of(it));
      },
    });
  gauge('weighhouse_requests_running', 'Requests that have a place', (it) => it.running);
  gauge('weighhouse_requests_waiting', 'Requests that wait for a place', (it) => it.waiting);
  gauge('weighhouse_requests_refused', 'Requests that got no place so far', (it) => it.refused);
  return (counts) => {
    source = counts;
  };
}
