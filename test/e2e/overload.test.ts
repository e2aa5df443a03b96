/**
 * Four times as many requests come as can be answered, from clients that do not wait for one
 * another. The server goes on with what it can, refuses the rest at once, says that it is not
 * ready, and is ready again when they have gone.
 */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Admission } from '../../src/server/admission.ts';
import { LOAD_LIMITS } from '../../src/server/loads.ts';
import { draftPath, Served } from '../made/served.ts';

/** Milliseconds that a request takes, and places: 160 are answered a second. */
const SERVICE_MS = 50;
const PLACES = 8;
const SEATS = 16;
const CAPACITY = (PLACES * 1_000) / SERVICE_MS;
/** Offered for so long, every `TICK_MS` as many as make four times the capacity. */
const OFFERED_MS = 4_000;
const TICK_MS = 25;
const A_TICK = (4 * CAPACITY * TICK_MS) / 1_000;
/** What a request may wait for its place, and then take; the machine may be busy with other things. */
const MOST_MS = (SEATS / PLACES + 1) * SERVICE_MS + 1_000;

const DRAFT = draftPath('acme/tiny@v1');
let served: Served;
let stopWatching: () => void;
let admission: Admission;

beforeAll(async () => {
  const read = { ...LOAD_LIMITS.read, atOnce: PLACES, each: PLACES, waiting: SEATS };
  admission = new Admission({ read });
  stopWatching = admission.watch();
  served = await Served.start({ parts: { admission } });
  await served.api(DRAFT, { method: 'PUT' });
  const original = served.registry.draftStatus;
  Object.assign(served.registry, {
    draftStatus: async (...args: Parameters<typeof original>) => {
      await pause(SERVICE_MS);
      return original(...args);
    },
  });
});
afterAll(async () => {
  stopWatching();
  await served.stop();
});

interface Answer {
  readonly status: number;
  readonly ms: number;
  readonly retryAfter: string | null;
}

async function ask(path: string, token: string | null = null): Promise<Answer> {
  const begun = performance.now();
  const response = await served.fetch(path, { token });
  await response.arrayBuffer();
  const retryAfter = response.headers.get('retry-after');
  return { status: response.status, ms: performance.now() - begun, retryAfter };
}

/** Sends the load, whatever comes back, and looks at health in between. */
async function offer(): Promise<{ answers: Answer[]; lives: Answer[]; readiness: Set<number> }> {
  const asked: Promise<Answer>[] = [];
  const lives: Promise<Answer>[] = [];
  const readiness = new Set<number>();
  const ended = new AbortController();
  const until = performance.now() + OFFERED_MS;
  const tick = setInterval(() => {
    for (let n = 0; n < A_TICK; n++) asked.push(ask(`/api/v1${DRAFT}`, served.publisher));
    lives.push(ask('/livez'));
    void ask('/readyz').then(({ status }) => readiness.add(status));
    const { running, waiting } = admission.counts().find(({ load }) => load === 'read')!;
    expect(running).toBeLessThanOrEqual(PLACES);
    expect(waiting).toBeLessThanOrEqual(SEATS);
    if (performance.now() >= until) ended.abort();
  }, TICK_MS);
  await once(ended.signal, 'abort');
  clearInterval(tick);
  return { answers: await Promise.all(asked), lives: await Promise.all(lives), readiness };
}

test('a server under four times its load answers what it can, in time, and recovers', async () => {
  const begun = performance.now();
  const { answers, lives, readiness } = await offer();
  const seconds = (performance.now() - begun) / 1_000;

  const done = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status !== 200);
  // A good share: most of what it could do if nobody had asked for more.
  expect(done.length).toBeGreaterThan(0.5 * CAPACITY * seconds);
  expect(Math.max(...done.map(({ ms }) => ms))).toBeLessThan(MOST_MS);
  expect(refused.length).toBeGreaterThan(0);
  for (const { status, retryAfter } of refused) {
    expect(status).toBe(503);
    expect(retryAfter).toMatch(/^[1-4]$/);
  }
  expect(new Set(lives.map(({ status }) => status))).toEqual(new Set([200]));
  expect(readiness).toEqual(new Set([200, 503]));

  while ((await ask('/readyz')).status !== 200) await pause(100);
  expect((await ask(`/api/v1${DRAFT}`, served.publisher)).status).toBe(200);
}, 60_000);
