/** Turns as clients see them: no place, no time, and work that is given up. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { Admission } from '../../src/server/admission.ts';
import { LOAD_LIMITS } from '../../src/server/loads.ts';
import { Pressure } from '../../src/server/pressure.ts';
import { draftPath, Served } from '../made/served.ts';

const DRAFT = `/api/v1${draftPath('acme/tiny@v1')}`;

let served: Served;
afterEach(() => served.stop());

/** A server whose reads of a draft's status end when the test says so. */
async function hanging(admission: Admission) {
  served = await Served.start({ parts: { admission } });
  await served.api(draftPath('acme/tiny@v1'), { method: 'PUT' });
  const original = served.registry.draftStatus;
  const held = Promise.withResolvers<void>();
  let entered = 0;
  const waiters: (() => void)[] = [];
  Object.assign(served.registry, {
    draftStatus: async (...args: Parameters<typeof original>) => {
      entered += 1;
      for (const wake of waiters.splice(0)) wake();
      await held.promise;
      return original(...args);
    },
  });
  const untilEntered = async (count: number) => {
    while (entered < count) await new Promise<void>((wake) => waiters.push(wake));
  };
  const status = () => served.fetch(DRAFT, { token: served.publisher });
  return { release: () => held.resolve(), untilEntered, status };
}

const limit = (changes: Partial<(typeof LOAD_LIMITS)['read']>) => ({
  read: { ...LOAD_LIMITS.read, ...changes },
});

describe('a request for which there is no place', () => {
  test('hears so at once; health and the other classes are answered, and it has its turn later', async () => {
    const admission = new Admission(limit({ atOnce: 2, each: 2, waiting: 0 }));
    const { release, untilEntered, status } = await hanging(admission);
    const running = [status(), status()];
    await untilEntered(2);
    const refused = await status();
    expect([refused.status, await codeOf(refused)]).toEqual([503, 'overloaded']);
    expect(refused.headers.get('retry-after')).toMatch(/^[1-4]$/);
    expect((await served.fetch('/log/checkpoint')).status).toBe(503);
    for (const path of ['/livez', '/readyz']) expect((await served.fetch(path)).status).toBe(200);
    expect((await served.fetch(DRAFT, { method: 'PUT', token: served.publisher })).status).toBe(
      200,
    );
    const metrics = await (await served.fetch('/metrics')).text();
    expect(metrics).toContain('weighhouse_requests_running{load="read"} 2');
    expect(metrics).toContain('weighhouse_requests_refused{load="read"} 2');
    release();
    for (const answer of running) expect((await answer).status).toBe(200);
    expect((await status()).status).toBe(200);
  });
});

describe('a request that takes too long', () => {
  test('is answered when its time is over, and keeps its place until its work has ended', async () => {
    const admission = new Admission(limit({ atOnce: 1, each: 1, waiting: 0, deadline: 30 }));
    const { release, untilEntered, status } = await hanging(admission);
    const late = await status();
    expect([late.status, await codeOf(late)]).toEqual([503, 'overloaded']);
    await untilEntered(1);
    const next = await (await status()).text();
    expect(next).toContain('more to do than it can');
    release();
    while ((await served.fetch('/log/checkpoint')).status !== 200) await nextTurn();
    expect(served.logged.filter((line) => line.includes('request failed'))).toEqual([]);
  });

  test('says of a write that nobody knows whether it was done', async () => {
    const write = { ...LOAD_LIMITS.write, deadline: 30 };
    served = await Served.start({ parts: { admission: new Admission({ write }) } });
    const held = Promise.withResolvers<never>();
    Object.assign(served.registry, { openDraft: () => held.promise });
    const answer = await served.fetch(DRAFT, { method: 'PUT', token: served.publisher });
    expect([answer.status, await codeOf(answer)]).toEqual([503, 'unknown-outcome']);
    held.reject(new Error('too late for anybody'));
  });
});

describe('a server that is pressed', () => {
  test('is not ready, lives, and is ready again by itself', async () => {
    const pressure = new Pressure();
    served = await Served.start({ parts: { admission: new Admission({}, pressure) } });
    const ready = async () => (await served.fetch('/readyz')).status;
    for (let n = 0; n < 3; n++) pressure.take({ lag: 10_000, memory: 0, refused: 0 });
    expect(await ready()).toBe(503);
    expect((await served.fetch('/livez')).status).toBe(200);
    for (let n = 0; n < 6; n++) pressure.take({ lag: 0, memory: 0, refused: 0 });
    expect(await ready()).toBe(200);
  });
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function codeOf(problem: Response): Promise<unknown> {
  return ((await problem.json()) as { readonly code?: unknown }).code;
}
