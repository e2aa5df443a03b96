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
  /** Told by the sequencer. */
  readonly log: Observer;
  /** Told of what the scrub of this server has read since it was told last. */
  scrubbed(objects: number, bytes: number): void;
  /** How many objects are damaged is asked whenever somebody looks. */
  watchDamage(count: () => Promise<number>): void;
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

  const scrubObjects = new Counter({
    name: 'weighhouse_scrub_objects_total',
    help: 'Objects that the scrub of this server has looked at',
    registers,
  });
  const scrubBytes = new Counter({
    name: 'weighhouse_scrub_bytes_total',
    help: 'Bytes that the scrub of this server has read',
    registers,
  });

  return {
    registry,
    scrubbed(objects, bytes) {
      scrubObjects.inc(objects);
      scrubBytes.inc(bytes);
    },
    watchDamage(count) {
      new Gauge({
        name: 'weighhouse_damaged_objects',
        help: 'Objects of the store that are known to be damaged; weighhouse repair restores them',
        registers,
        async collect() {
          this.set(await count());
        },
      });
    },
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
