/** What is counted of the store: every operation that is asked of it, and how it ends. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type ErrorCode, isCoded } from '../core/error.ts';

/** Told of every operation of a store. */
export interface StoreObserver {
  /** `operation` is one of the contract's names. What is returned is called when it has ended. */
  began(operation: string): (failure?: unknown) => void;
}

/** Codes of failures that are the store's own; others are answers, like `not-found`. */
const FAILURES: ReadonlySet<ErrorCode> = new Set([
  'storage',
  'disk-full',
  'unknown-outcome',
  'network',
  'internal',
]);

export function createStoreMetrics(registry: Registry): StoreObserver {
  const registers = [registry];
  const labelNames = ['operation'];
  const inFlight = new Gauge({
    name: 'weighhouse_store_operations_in_flight',
    help: 'Operations of the store that have begun and not ended; putPart is an upload',
    labelNames,
    registers,
  });
  const duration = new Histogram({
    name: 'weighhouse_store_operation_seconds',
    help: 'Time of an operation of the store, retries included; of a read, until it begins to come',
    labelNames,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
    registers,
  });
  const errors = new Counter({
    name: 'weighhouse_store_errors_total',
    help: 'Operations of the store that failed for a reason of its own, by the error’s code',
    labelNames: ['operation', 'code'],
    registers,
  });
  return {
    began(operation) {
      const begun = performance.now();
      inFlight.inc({ operation });
      return (failure) => {
        inFlight.dec({ operation });
        duration.observe({ operation }, (performance.now() - begun) / 1000);
        if (failure === undefined) return;
        const code = isCoded(failure) ? failure.code : 'internal';
        if (FAILURES.has(code)) errors.inc({ operation, code });
      };
    },
  };
}
