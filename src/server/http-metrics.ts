/** What is counted of requests. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { EndedRequest } from './request-log.ts';

/** Told of every request, when it begins and when it has ended. */
export interface RequestObserver {
  began(): void;
  ended(request: EndedRequest): void;
}

export function createHttpMetrics(registry: Registry): RequestObserver {
  const registers = [registry];
  const inFlight = new Gauge({
    name: 'weighhouse_http_requests_in_flight',
    help: 'Requests that have begun and not ended',
    registers,
  });
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
  const refused = new Counter({
    name: 'weighhouse_http_refused_total',
    help: 'Requests that were answered with an error, by its code',
    labelNames: ['code'],
    registers,
  });
  return {
    began: () => inFlight.inc(),
    ended({ method, route, status, sent: bytes, seconds, code }) {
      inFlight.dec();
      duration.observe({ method, route, status: `${Math.floor(status / 100)}xx` }, seconds);
      sent.inc({ route }, bytes);
      if (code !== undefined) refused.inc({ code });
    },
  };
}
