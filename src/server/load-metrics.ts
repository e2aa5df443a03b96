/** What is counted of places: of each class of requests, not of who asks. */
import { Gauge, type Registry } from 'prom-client';

export interface LoadCount {
  readonly load: string;
  readonly running: number;
  readonly waiting: number;
  /** Since the server began. */
  readonly refused: number;
}

/** Gauges that ask when they are read; the result tells them whom. */
export function createLoadMetrics(
  registry: Registry,
): (counts: () => readonly LoadCount[]) => void {
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
