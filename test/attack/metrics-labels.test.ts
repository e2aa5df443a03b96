/** Metrics cardinality (CVE-2026-49835): no request makes a time series of its own. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Served } from '../made/served.ts';

let served: Served;
beforeAll(async () => {
  served = await Served.start();
});
afterAll(() => served.stop());

async function series(): Promise<string[]> {
  const text = await (await served.fetch('/metrics')).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith('weighhouse_http_'))
    .map((line) => line.slice(0, line.lastIndexOf('}')));
}

/** One of each kind of request, about something that only `n` names. */
async function ask(n: number): Promise<void> {
  for (const path of [
    `/api/v1/releases/acme/model-${n}/v${n}`,
    `/api/v1/releases/acme/tiny/v1/files/file-${n}.bin`,
    `/api/v1/nothing-${n}`,
    `/nothing/at/all/${n}`,
    `/log/tile/0/x${String(n).padStart(3, '0')}/000`,
    `/${n}?q=${n}`,
  ]) {
    await (await served.fetch(path)).arrayBuffer();
  }
  for (const method of ['PUT', 'DELETE', 'PATCH', `X-${n}`]) {
    await (await served.fetch(`/api/v1/drafts/acme/t${n}/v1`, { method })).arrayBuffer();
  }
}

test('names, paths, queries and methods that nobody has used make no new series', async () => {
  await ask(0);
  await series();
  const before = await series();
  expect(before.length).toBeGreaterThan(10);
  for (let n = 1; n <= 20; n++) await ask(n);
  const labels = (lines: readonly string[]) => [...new Set(lines)].sort();
  expect(labels(await series())).toEqual(labels(before));
  expect(before.join('\n')).not.toMatch(/model-|nothing|X-0/);
});
