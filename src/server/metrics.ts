/**
 * Prometheus metrics, for operators: docs/operations.md says what to do about them. Labels are
 * route templates, status classes, operations of the store and codes of errors: sets that are
 * fixed in the code, never anything that a client chooses. What a client names would fill the
 * memory (CVE-2026-49835).
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Observer } from '../log/sequencer.ts';
import { createHttpMetrics, type RequestObserver } from './http-metrics.ts';
import { createLoadMetrics, type LoadCount } from './load-metrics.ts';
import { createLogMetrics, type LogStanding } from './log-metrics.ts';
import { createStoreMetrics, type StoreObserver } from './store-metrics.ts';

export interface Metrics {
  readonly registry: Registry;
  /** Told of every request. */
  readonly http: RequestObserver;
  /** Where the places of requests are counted, by their class. */
  loads(counts: () => readonly LoadCount[]): void;
  /** Told by the sequencer. */
  readonly log: Observer;
  /** Told of the log as it stands in the store, whoever committed last. */
  standing(standing: LogStanding): void;
  /** Told of everything that is asked of the store. */
  readonly store: StoreObserver;
  /** Told whenever somebody asks whether the server is ready. */
  ready(isReady: boolean): void;
  /** A publish or a seal was left in the middle and cannot be finished for now. */
  unfinished(): void;
  /** A witness did not cosign. */
  witnessAbsent(): void;
  /** When the trust root that is in force ends, in milliseconds since 1970. */
  rootExpires(time: number): void;
  /** Told of what the scrub of this server has read since it was told last. */
  scrubbed(objects: number, bytes: number): void;
  /** How many objects are damaged is asked whenever somebody looks. */
  watchDamage(count: () => Promise<number>): void;
}

/** `indexSize` tells how many entries of the log are in the index. */
export function createMetrics(indexSize: () => number | undefined = () => undefined): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const ready = new Gauge({
    name: 'weighhouse_ready',
    help: '1 when the last answer of /readyz was that the server takes writes, 0 when not',
    registers,
  });
  const unfinished = new Counter({
    name: 'weighhouse_unfinished_total',
    help: 'Tries to finish a publish or a seal that a crash had left in the middle, in vain',
    registers,
  });
  const absences = new Counter({
    name: 'weighhouse_witness_absences_total',
    help: 'Checkpoints that a witness did not cosign in time',
    registers,
  });
  const rootExpires = new Gauge({
    name: 'weighhouse_trust_root_expires_timestamp_seconds',
    help: 'When the trust root that is in force ends',
    registers,
  });
  new Gauge({
    name: 'weighhouse_index_size',
    help: 'Entries of the log that are in this server’s index',
    registers,
    collect() {
      const size = indexSize();
      if (size !== undefined) this.set(size);
    },
  });
  const scrubObjects = new Counter({
    name: 'weighhouse_scrub_objects_total',
    help: 'Objects that the scrub of this server has looked at',
    registers,
  });
  let countDamaged = async () => 0;
  new Gauge({
    name: 'weighhouse_damaged_objects',
    help: 'Objects of the store that are known to be damaged; weighhouse repair restores them',
    registers,
    async collect() {
      this.set(await countDamaged());
    },
  });
  const scrubBytes = new Counter({
    name: 'weighhouse_scrub_bytes_total',
    help: 'Bytes that the scrub of this server has read',
    registers,
  });
  return {
    registry,
    http: createHttpMetrics(registry),
    ...createLogMetrics(registry),
    store: createStoreMetrics(registry),
    ready: (isReady) => ready.set(isReady ? 1 : 0),
    unfinished: () => unfinished.inc(),
    witnessAbsent: () => absences.inc(),
    rootExpires: (time) => rootExpires.set(time / 1000),
    loads: createLoadMetrics(registry),
    scrubbed(objects, bytes) {
      scrubObjects.inc(objects);
      scrubBytes.inc(bytes);
    },
    watchDamage(count) {
      countDamaged = count;
    },
  };
}
