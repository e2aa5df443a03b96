import { describe, expect, test } from '@jest/globals';
import { createOutput, plainText } from '../../src/cli/output.ts';
import { CodedError } from '../../src/core/error.ts';
import { makeWorld } from './command-line.ts';

function speak(json: boolean, terminal = false, noColor = false) {
  const world = makeWorld();
  world.stderr.isTTY = terminal;
  return { output: createOutput({ json, noColor, ...world }), world };
}

async function settled(world: ReturnType<typeof makeWorld>) {
  await new Promise((resolve) => setImmediate(resolve));
  return world.said();
}

describe('output', () => {
  test('with --json the document is all of standard output', async () => {
    const { output, world } = speak(true);
    output.say('by the way');
    output.warn('careful');
    output.result({ a: 1 }, ['for people']);
    expect(await settled(world)).toEqual({
      stdout: '{"a":1}\n',
      stderr: 'by the way\nwarning: careful\n',
    });
  });

  test('without it the lines are', async () => {
    const { output, world } = speak(false);
    output.result({ a: 1 }, ['one', 'two']);
    expect(await settled(world)).toEqual({ stdout: 'one\ntwo\n', stderr: '' });
  });

  test('a failure is a sentence, and with --json a document with its code', async () => {
    const { output, world } = speak(true);
    output.failure(new CodedError('stale', 'too old', { since: 3 }));
    const { stdout, stderr } = await settled(world);
    expect(JSON.parse(stdout)).toEqual({
      error: { code: 'stale', message: 'too old', details: { since: 3 } },
    });
    expect(stderr).toBe('error: too old\n');
  });

  test('colour is for terminals, and not for those who want none', async () => {
    for (const [terminal, noColor, coloured] of [
      [true, false, true],
      [true, true, false],
      [false, false, false],
    ] as const) {
      const { output, world } = speak(false, terminal, noColor);
      output.warn('x');
      expect((await settled(world)).stderr.includes('\x1b[')).toBe(coloured);
    }
  });

  test('what strangers wrote cannot steer the terminal', async () => {
    const hostile = 'a\x1b[2Jb\rc\nd\u202ee\u0007\u009bf';
    expect(plainText(hostile)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const { output, world } = speak(false);
    output.say(hostile);
    output.warn(hostile);
    output.result({}, [hostile]);
    output.failure(new CodedError('network', hostile));
    const { stdout, stderr } = await settled(world);
    expect(`${stdout}${stderr}`.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(stdout.split('\n')).toHaveLength(2);
  });
});
