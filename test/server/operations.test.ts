/** What operators see: health, metrics, the log; and how a server ends. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { CodedError } from '../../src/core/error.ts';
import type { Store } from '../../src/store/contract.ts';
import { declared, partsOf } from '../made/live-registry.ts';
import { openSocket, readToEnd } from '../made/raw-http.ts';
import { contentDigest, draftPath, filePath, Served } from '../made/served.ts';

const REFERENCE = 'acme/tiny@v1';
const FILES = { 'README.md': 'Hello.' };

let served: Served;
beforeAll(async () => {
  served = await Served.start();
  await served.publish(REFERENCE, FILES);
});
afterAll(() => served.stop());

/** The values of one metric, by its labels as they are written. */
async function samples(name: string): Promise<Map<string, number>> {
  const text = await (await served.fetch('/metrics')).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf('}');
      return [line.slice(name.length, end + 1), Number(line.slice(end + 1))];
    }),
  );
}

/** The log's lines about requests, once all that were answered have ended. */
function requestLines(): Record<string, unknown>[] {
  return served.logged.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request');
}

describe('health', () => {
  test('is told in one word, and never kept', async () => {
    for (const [path, word] of [
      ['/livez', 'alive\n'],
      ['/readyz', 'ready\n'],
    ] as const) {
      const response = await served.fetch(path);
      expect([response.status, await response.text()]).toEqual([200, word]);
      expect(response.headers.get('cache-control')).toBe('no-store');
    }
  });

  test('is red for writes, with the reason, while the server lives', async () => {
    const unready = async () => 'the log has stopped: two roots differ';
    const ill = await Served.start({ parts: { unready } });
    const response = await ill.fetch('/readyz');
    expect([response.status, await response.text()]).toEqual([503, `${await unready()}\n`]);
    expect((await ill.fetch('/livez')).status).toBe(200);
    expect((await ill.fetch('/readyz/reads')).status).toBe(200);
    expect(await (await ill.fetch('/metrics')).text()).toMatch(/^weighhouse_ready 0$/m);
    await ill.stop();
  });

  test('that is red waits for no list of damage', async () => {
    const damaged = () => new Promise<number>(() => {});
    const ill = await Served.start({ parts: { unready: async () => 'stopped', damaged } });
    const signal = AbortSignal.timeout(5_000);
    expect((await ill.fetch('/readyz', { signal })).status).toBe(503);
    await ill.stop();
  });
});

describe('the address of a model', () => {
  test('shows its page', async () => {
    const answer = await served.fetch('/acme/tiny');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    expect((await served.fetch('/acme/..%2f')).status).toBe(400);
    expect((await served.fetch('/acme/absent')).status).toBe(404);
  });
});

describe('a release that is acknowledged', () => {
  test('is listed and found by its digest at once', async () => {
    const { digest } = await served.publish('acme/prompt@v1', { 'a.txt': 'a' });
    const found = await served.api(`/releases/acme/prompt/${digest}`, { token: null });
    expect(found).toMatchObject({ reference: 'acme/prompt@v1', digest });
    expect((await served.api('/releases?query=prompt', { token: null })).releases).toHaveLength(1);
  });
});

describe('metrics', () => {
  test('know requests by the templates of their routes, whatever clients ask for', async () => {
    for (let i = 0; i < 20; i++) {
      await served.fetch(`/api/v1/releases/acme/tiny/v${i}`);
      await served.fetch(`/nothing/${i}`);
      await served.fetch(`/api/v1/nothing/${i}`);
      await served.fetch(filePath(REFERENCE, `file-${i}`));
      await served.fetch(`/log/tile/0/00${i % 10}`);
      await served.fetch(`/.well-known/weighhouse/root/${i}.json`);
    }
    const counts = await samples('weighhouse_http_request_duration_seconds_count');
    const routes = [...counts.keys()].map((labels) => /route="([^"]*)"/.exec(labels)?.[1]);
    expect(
      routes.filter((route) => route === undefined || /nothing|file-|v1[0-9]/.test(route)),
    ).toEqual([]);
    expect(routes).toContain('/api/v1/releases/{namespace}/{name}/{version}/files/{*path}');
    expect(routes).toContain('/log/tile/{*rest}');
    expect(routes).toContain('none');
    expect(counts.size).toBeLessThan(40);
  });

  test('count refusals by the code of the error, and requests that are under way', async () => {
    const refused = async () =>
      (await samples('weighhouse_http_refused_total')).get('{code="not-found"}') ?? 0;
    const before = await refused();
    await served.fetch('/api/v1/releases/acme/absent/v1');
    expect(await refused()).toBe(before + 1);
    const text = await (await served.fetch('/metrics')).text();
    expect(text).toMatch(/^weighhouse_http_requests_in_flight 1$/m);
  });

  test('count the bytes that went out', async () => {
    const labels = '{route="/api/v1/releases/{namespace}/{name}/{version}/files/{*path}"}';
    const before = (await samples('weighhouse_http_sent_bytes_total')).get(labels) ?? 0;
    await (await served.fetch(filePath(REFERENCE, 'README.md'))).text();
    const after = (await samples('weighhouse_http_sent_bytes_total')).get(labels)!;
    expect(after - before).toBeGreaterThan(FILES['README.md'].length);
    expect(after - before).toBeLessThan(2_000);
  });
});

describe('the request log', () => {
  test('has one line for a request, with its route, its status and the id that the answer names', async () => {
    served.logged.length = 0;
    const response = await served.fetch(filePath(REFERENCE, 'README.md'));
    await response.text();
    await served.fetch('/livez');
    const [line] = requestLines();
    expect(line).toMatchObject({
      id: response.headers.get('x-request-id'),
      method: 'GET',
      route: '/api/v1/releases/{namespace}/{name}/{version}/files/{*path}',
      status: 200,
      isWhole: true,
      sent: expect.any(Number),
      ms: expect.any(Number),
    });
  });

  test('names the subject of a token, and never holds a token, a path or a header', async () => {
    served.logged.length = 0;
    const headers = { 'x-secret': 'header-value' };
    await served.fetch(`/api/v1${draftPath('acme/hidden@v1')}?query=value`, {
      token: served.publisher,
      headers,
    });
    await served.fetch('/api/v1/drafts/acme/hidden/v1', { token: `${served.publisher}x` });
    await served.fetch('/livez');
    const text = served.logged.join('');
    expect(requestLines()[0]).toMatchObject({ subject: 'publisher' });
    for (const secret of [served.publisher.slice(0, 20), 'hidden', 'query=value', 'header-value']) {
      expect([secret, text.includes(secret)]).toEqual([secret, false]);
    }
  });
});

describe('a store that fails', () => {
  let ill: Served;
  afterEach(() => ill.stop());

  /** A store whose uploads of parts fail. */
  async function startIll(failure: CodedError): Promise<void> {
    const wrapStore = (store: Store): Store =>
      new Proxy(store, {
        get(target, name: keyof Store) {
          if (name === 'putPart') return () => Promise.reject(failure);
          const member = target[name];
          return typeof member === 'function' ? member.bind(target) : member;
        },
      });
    ill = await Served.start({ wrapStore });
  }

  test.each([
    ['disk-full', 507, undefined],
    ['storage', 500, undefined],
    ['overloaded', 503, '7'],
    ['unknown-outcome', 503, '1'],
  ] as const)('with %s is answered with %i', async (code, status, retryAfter) => {
    const secret = '/var/lib/weighhouse';
    const details = code === 'overloaded' ? { retryAfterSeconds: 6.5 } : { path: secret };
    await startIll(
      new CodedError(code, `cannot write ${code === 'overloaded' ? '' : secret}`, details),
    );
    const failed = await ill.upload(REFERENCE, FILES).catch((error: Error) => error.message);
    expect(failed).toContain(`${status} `);
    expect(failed).toContain(`"code":"${code}"`);
    expect(failed).not.toContain(secret);
    if (retryAfter !== undefined) expect(await retryAfterOf()).toBe(retryAfter);
  });

  /** Of the part again, this time looking at the headers. */
  async function retryAfterOf(): Promise<string | null> {
    const draft = draftPath(REFERENCE);
    const json = declared('README.md', FILES['README.md']);
    const { upload } = await ill.api(`${draft}/files`, { method: 'POST', json });
    const [part] = partsOf(FILES['README.md']);
    const response = await ill.fetch(`/api/v1${draft}/uploads/${upload}/parts/1`, {
      method: 'PUT',
      token: ill.publisher,
      body: part!.bytes,
      headers: { 'content-digest': contentDigest(part!.sha256) },
    });
    return response.headers.get('retry-after');
  }
});

describe('a server that has been told to end, and is given time', () => {
  test('is red for reads and writes, goes on answering, and ends each connection', async () => {
    let isLeaving = false;
    const leaving = await Served.start({ parts: { isLeaving: () => isLeaving } });
    const connection = async (path: string) =>
      (await leaving.fetch(path)).headers.get('connection');
    expect(await connection('/livez')).toBe('keep-alive');
    isLeaving = true;
    leaving.listening.leave();
    for (const path of ['/readyz', '/readyz/reads']) {
      const response = await leaving.fetch(path);
      expect([response.status, await response.text()]).toEqual([
        503,
        'the server is ending; ask another one\n',
      ]);
    }
    expect((await leaving.fetch('/log/checkpoint')).status).toBe(200);
    expect(await connection('/livez')).toBe('close');
    await leaving.stop();
  });
});

describe('a server that is told to stop', () => {
  test('finishes what it has begun, takes nothing new, and then ends', async () => {
    const ending = await Served.start();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    const original = ending.registry.draftStatus;
    Object.assign(ending.registry, {
      draftStatus: async (...args: Parameters<typeof original>) => {
        enter();
        await held;
        return original(...args);
      },
    });
    await ending.api('/drafts/acme/tiny/v1', { method: 'PUT' });
    const idle = readToEnd(await openSocket(ending.port));
    const running = ending.fetch('/api/v1/drafts/acme/tiny/v1', { token: ending.publisher });
    await entered;
    const closed = ending.listening.close(10_000);
    await expect(openSocket(ending.port)).rejects.toThrow('ECONNREFUSED');
    release();
    const response = await running;
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ reference: 'acme/tiny@v1' });
    await closed;
    expect((await idle).length).toBe(0);
    await ending.stop();
  });

  test('cuts what does not finish in time', async () => {
    const ending = await Served.start();
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    Object.assign(ending.registry, {
      draftStatus: () => {
        enter();
        return new Promise(() => {});
      },
    });
    const running = ending.fetch('/api/v1/drafts/acme/tiny/v1', { token: ending.publisher });
    await entered;
    await Promise.all([ending.listening.close(20), expect(running).rejects.toThrow()]);
    await ending.stop();
  });
});
