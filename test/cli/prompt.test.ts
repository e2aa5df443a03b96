import { describe, expect, test } from '@jest/globals';
import { ask, askHidden } from '../../src/cli/prompt.ts';
import { makeWorld } from './command-line.ts';

function terminal() {
  const world = makeWorld();
  world.stdin.isTTY = true;
  world.stderr.isTTY = true;
  return world;
}

describe('questions to the person', () => {
  test('are asked on standard error, and answered by a line', async () => {
    const world = terminal();
    const answer = ask(world, 'Name? ');
    await world.hears('Name? ');
    world.stdin.write('acme/m@1\n');
    expect(await answer).toBe('acme/m@1');
    expect(world.said().stdout).toBe('');
  });

  test('a passphrase is never shown', async () => {
    const world = terminal();
    const answer = askHidden(world, 'Passphrase: ');
    await world.hears('Passphrase: ');
    world.stdin.write('correct horse\n');
    expect(await answer).toBe('correct horse');
    expect(world.said().stderr).not.toMatch(/correct|horse/);
  });

  test('the terminal hides what is typed before the question is asked', async () => {
    const world = terminal();
    const order: string[] = [];
    const setRawMode = (on: boolean) => order.push(`raw ${on}`);
    Object.assign(world.stdin, { setRawMode });
    const write = world.stderr.write.bind(world.stderr);
    world.stderr.write = (text: string) => {
      order.push(text);
      return write(text);
    };
    const answer = askHidden(world, 'Passphrase: ');
    world.stdin.write('x\n');
    await answer;
    expect(order).toEqual(['raw true', 'Passphrase: ', 'raw false', '\n']);
  });

  test('two questions in a row each get their own line', async () => {
    const world = terminal();
    const first = askHidden(world, 'First: ');
    await world.hears('First: ');
    world.stdin.write('one\n');
    expect(await first).toBe('one');
    const second = askHidden(world, 'Second: ');
    await world.hears('Second: ');
    world.stdin.write('two\n');
    expect(await second).toBe('two');
  });

  test('Ctrl-C and the end of input end the question', async () => {
    const stopped = terminal();
    const first = ask(stopped, '? ');
    stopped.stop();
    await expect(first).rejects.toThrowWithCode('interrupted');
    const ended = terminal();
    const second = ask(ended, '? ');
    ended.stdin.end();
    await expect(second).rejects.toThrowWithCode('interrupted');
  });
});
