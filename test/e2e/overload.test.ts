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
import { type Look, Pressure } from '../../src/server/pressure.ts';
import { draftPath, Served } from '../made/served.ts';

/** Milliseconds that a request takes, and places: 80 are answered a second. */
const SERVICE_MS = 100;
const PLACES = 8;
const SEATS = 16;
const CAPACITY = (PLACES * 1_000) / SERVICE_MS;
/** Offered for so long, every `TICK_MS` as many as make four times the capacity. */
const OFFERED_MS = 4_000;
const TICK_MS = 25;
const A_TICK = (4 * CAPACITY * TICK_MS) / 1_000;
/** What a request may wait for its place, and then take; the machine may be busy with other things. */
const MOST_MS = (SEATS / PLACES + 1) * SERVICE_MS + 2_000;

/** Clients and server share one busy process here: what its timers say is tested elsewhere. */
class Places extends Pressure {
  override take(look: Look): void {
    super.take({ ...look, lag: 0, memory: 0 });
  }
}

const DRAFT = draftPath('acme/tiny@v1');
let served: Served;
let stopWatching: () => void;
let admission: Admission;
/** Milliseconds that the places have worked, together. */
let worked = 0;

beforeAll(async () => {
  const read = { ...LOAD_LIMITS.read, atOnce: PLACES, each: PLACES, waiting: SEATS };
  admission = new Admission({ read }, new Places());
  stopWatching = admission.watch();
  served = await Served.start({ parts: { admission } });
  await served.api(DRAFT, { method: 'PUT' });
  const original = served.registry.draftStatus;
  Object.assign(served.registry, {
    draftStatus: async (...args: Parameters<typeof original>) => {
      const begun = performance.now();
      await pause(SERVICE_MS);
      const status = await original(...args);
      worked += performance.now() - begun;
      return status;
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

interface Offered {
  readonly answers: readonly Answer[];
  readonly lives: readonly Answer[];
  readonly readiness: ReadonlySet<number>;
  /** The part of the looks at which no place was free. */
  readonly busy: number;
}

/** Sends the load, whatever comes back, and looks at health in between. */
async function offer(): Promise<Offered> {
  const asked: Promise<Answer>[] = [];
  const lives: Promise<Answer>[] = [];
  const readiness = new Set<number>();
  let [looks, full] = [0, 0];
  const ended = new AbortController();
  const until = performance.now() + OFFERED_MS;
  const tick = setInterval(() => {
    for (let n = 0; n < A_TICK; n++) asked.push(ask(`/api/v1${DRAFT}`, served.publisher));
    lives.push(ask('/livez'));
    void ask('/readyz').then(({ status }) => readiness.add(status));
    const { running, waiting } = admission.counts().find(({ load }) => load === 'read')!;
    looks += 1;
    if (running === PLACES) full += 1;
    expect(running).toBeLessThanOrEqual(PLACES);
    expect(waiting).toBeLessThanOrEqual(SEATS);
    if (performance.now() >= until) ended.abort();
  }, TICK_MS);
  await once(ended.signal, 'abort');
  clearInterval(tick);
  const [answers, alive] = [await Promise.all(asked), await Promise.all(lives)];
  return { answers, lives: alive, readiness, busy: full / looks };
}

test('a server under four times its load answers what it can, in time, and recovers', async () => {
  const begun = performance.now();
  const { answers, lives, readiness, busy } = await offer();
  const milliseconds = performance.now() - begun;
  const share = worked / (PLACES * milliseconds);

  const done = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status !== 200);
  // Hardly a place was ever idle.
  expect(busy).toBeGreaterThan(0.5);
  // A good share of what they could do if nobody had asked for more, however slow the machine is.
  expect(share).toBeGreaterThan(0.3);
  expect(done.length).toBeGreaterThan(2 * (PLACES + SEATS));
  // A place takes longer for its work where the machine is slow, and so does whoever waits for it.
  const slowness = Math.max(1, worked / (done.length * SERVICE_MS));
  expect(Math.max(...done.map(({ ms }) => ms))).toBeLessThan(MOST_MS * slowness);
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
