/** Alerts and dashboard ask for metrics that a running server has, and the page explains them. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { Served } from '../made/served.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/operations.md');

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}
const alerts: readonly Alert[] = parse(read('deploy/prometheus-alerts.yml')).groups[0].rules;
const dashboard = JSON.parse(read('deploy/grafana-dashboard.json'));
interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}
const queries: readonly (readonly [string, string])[] = [
  ...alerts.map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets = [] }: Panel) =>
    targets.map(({ expr }) => [title, expr] as const),
  ),
];

/** The metrics that a query names; throws where it is no PromQL. */
function metricsOf(query: string): string[] {
  const names: string[] = [];
  parser.parse(query).iterate({
    enter({ type, from, to }) {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${query}`);
      if (type.name === 'VectorSelector') {
        const [name] = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(query.slice(from, to)) ?? [];
        names.push(name ?? query.slice(from, to));
      }
    },
  });
  return names;
}

let served: Served;
let known: Map<string, string>;
beforeAll(async () => {
  served = await Served.start();
  const text = await (await served.fetch('/metrics')).text();
  known = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]),
  );
});
afterAll(() => served.stop());

describe('every query', () => {
  test('parses, and names metrics that a server has', () => {
    expect(queries.length).toBeGreaterThan(40);
    for (const [title, query] of queries) {
      for (const name of metricsOf(query)) {
        const histogram = name.replace(/_(?:bucket|count|sum)$/, '');
        const isKnown = name === 'up' || known.has(name) || known.get(histogram) === 'histogram';
        expect([title, name, isKnown]).toEqual([title, name, true]);
      }
    }
  });

  test('the parser finds what is wrong', () => {
    expect(() => metricsOf('sum(rate(weighhouse_ready[5m])')).toThrow('no PromQL');
    expect(metricsOf('a{b="c"} / on (d) e')).toEqual(['a', 'e']);
  });
});

describe('the alerts', () => {
  test.each(alerts.map((alert) => [alert.alert, alert] as const))(
    '%s says how bad and what',
    (_, alert) => {
      expect(alert.labels.severity).toMatch(/^(?:critical|warning)$/);
      expect(alert.annotations.summary.length).toBeGreaterThan(10);
      expect(alert.for ?? '1m').toMatch(/^[1-9][0-9]*m$/);
    },
  );

  test('are all explained in docs/operations.md, and nothing else is', () => {
    const headings = [...page.matchAll(/^### (Weighhouse\w+)$/gm)].map(([, name]) => name!);
    expect(headings.sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });
});

test('the scrape settings of docs/operations.md are YAML and name the servers of the compose file', () => {
  const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(page)!;
  const { services } = parse(read('docker-compose.yml'), { merge: true });
  const [{ job_name, static_configs }] = parse(yaml!).scrape_configs;
  expect(job_name).toBe('weighhouse');
  expect(static_configs[0].targets.join(' ')).toBe(
    services.balancer.environment.WEIGHHOUSE_SERVERS,
  );
});
