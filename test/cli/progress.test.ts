import { describe, expect, test } from '@jest/globals';
import { describeStep, LINE_MS, REDRAW_MS, showing } from '../../src/cli/progress.ts';
import { formatBytes } from '../../src/core/amounts.ts';
import type { OnProgress } from '../../src/transfer/progress.ts';
import { makeWorld } from './command-line.ts';

const MIB = 2 ** 20;

/** Shows progress on a clock that the test moves. */
async function show(
  terminal: boolean,
  act: (report: OnProgress, tick: (ms: number) => void) => void,
): Promise<{ stderr: string; every: number; stopped: boolean }> {
  const world = makeWorld();
  world.stderr.isTTY = terminal;
  world.stderr.columns = 60;
  let now = 0;
  let every = 0;
  let stopped = false;
  let draw = () => {};
  const options = {
    screen: world.stderr,
    clock: () => now,
    ticker: (ms: number, redraw: () => void) => {
      every = ms;
      draw = redraw;
      return () => {
        stopped = true;
      };
    },
  };
  await showing(options, async (report) =>
    act(report, (ms) => {
      now += ms;
      draw();
    }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return { stderr: world.said().stderr, every, stopped };
}

describe('progress', () => {
  test('a line says phase, bytes, share, rate, time left and file', () => {
    const progress = {
      phase: 'upload',
      done: 30 * MIB,
      total: 100 * MIB,
      file: 'a.gguf',
      format: formatBytes,
    } as const;
    expect(describeStep(progress, 10 * MIB)).toBe(
      'upload    30.0 MiB of 100 MiB   30%  10.0 MiB/s  7 s left  a.gguf',
    );
  });

  test('a release without a byte is done', () => {
    expect(describeStep({ phase: 'hash', done: 0, total: 0, format: formatBytes }, 0)).toContain(
      '100%',
    );
  });

  test('elsewhere than on a terminal there is a line every ten seconds', async () => {
    const shown = await show(false, (report, tick) => {
      tick(LINE_MS);
      report({ phase: 'hash', bytes: 0, total: 100 * MIB, file: 'a' });
      for (let i = 1; i <= 20; i++) {
        report({ phase: 'hash', bytes: i * MIB, total: 100 * MIB, file: 'a' });
      }
      tick(LINE_MS);
      tick(LINE_MS);
    });
    expect(shown.every).toBe(10_000);
    expect(shown.stderr.split('\n')).toHaveLength(3);
    expect(shown.stderr).not.toContain('\r');
  });

  test('on a terminal one line is drawn over, never wider than it, and wiped at the end', async () => {
    const shown = await show(true, (report, tick) => {
      const file = 'x'.repeat(200);
      report({ phase: 'download', bytes: 0, total: MIB, file });
      tick(REDRAW_MS);
      report({ phase: 'download', bytes: MIB, total: MIB, file });
      tick(REDRAW_MS);
    });
    expect(shown.every).toBe(100);
    expect(shown.stderr).not.toContain('\n');
    const [, ...lines] = shown.stderr.split('\r\x1b[2K');
    expect(lines).toHaveLength(3);
    expect(lines.at(-1)).toBe('');
    for (const line of lines) expect(line.length).toBeLessThan(60);
    expect(shown.stopped).toBe(true);
  });

  test('the rate is that of the last seconds, and falls when nothing comes', async () => {
    const rates: string[] = [];
    const shown = await show(false, (report, tick) => {
      for (let second = 0; second <= 30; second++) {
        report({ phase: 'upload', bytes: second * 8 * MIB, total: 1000 * MIB });
        tick(1000);
      }
      tick(60_000);
    });
    for (const [, rate] of shown.stderr.matchAll(/ {2}([0-9.]+ \S+)\/s/g)) rates.push(rate!);
    expect(rates[20]).toMatch(/^[6-8]\.\d MiB$/);
    expect(rates.at(-1)).toBe('0 B');
  });

  test('each phase has a rate of its own', async () => {
    const shown = await show(false, (report, tick) => {
      report({ phase: 'hash', bytes: 900 * MIB, total: 1000 * MIB });
      tick(1000);
      report({ phase: 'upload', bytes: 0, total: 1000 * MIB });
      tick(1000);
    });
    expect(shown.stderr).not.toContain('-');
    expect(shown.stderr.trimEnd().split('\n').at(-1)).toContain('0 B/s');
  });

  test('a phase that begins again begins with a new rate', async () => {
    const shown = await show(false, (report, tick) => {
      report({ phase: 'hash', bytes: 0, total: 1000 * MIB });
      tick(1000);
      report({ phase: 'hash', bytes: 1000 * MIB, total: 1000 * MIB });
      report({ phase: 'hash', bytes: 0, total: 1000 * MIB });
      tick(1000);
      report({ phase: 'hash', bytes: 100 * MIB, total: 1000 * MIB });
      tick(0);
    });
    expect(shown.stderr.trimEnd().split('\n').at(-1)).toContain('  100 MiB/s  ');
  });

  test('an audit counts entries', async () => {
    const world = makeWorld();
    let draw = () => {};
    const ticker = (_ms: number, redraw: () => void) => {
      draw = redraw;
      return () => {};
    };
    await showing({ screen: world.stderr, clock: () => 0, ticker }, async (_report, entries) => {
      entries(512, 1024);
      draw();
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.said().stderr).toContain('512 entries of 1024 entries   50%');
  });

  test('a failure ends the drawing and is passed on', async () => {
    await expect(
      showing({ screen: makeWorld().stderr }, async () => {
        throw new Error('broken');
      }),
    ).rejects.toThrow('broken');
  });
});
