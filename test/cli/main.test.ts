import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { COMMANDS } from '../../src/cli/commands.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { makeWorld, run } from './command-line.ts';

/** Every command that does something, with the words that call it. */
async function leaves(): Promise<[string, Command][]> {
  const names = COMMANDS.map(({ name }) => name);
  const program = await makeProgram(names, makeWorld(), () => async () => {});
  const found: [string, Command][] = [];
  const visit = (command: Command, words: string) => {
    if (command.commands.length === 0) found.push([words, command]);
    for (const sub of command.commands) visit(sub, `${words} ${sub.name()}`.trim());
  };
  for (const name of names) visit(program.commands.find((c) => c.name() === name)!, name);
  return found;
}

const runIn = (argv: readonly string[], env = {}) => run(argv, makeWorld(env));

describe('help', () => {
  test('lists every command under what it is for', async () => {
    const { status, stdout } = await runIn(['--help']);
    expect(status).toBe(0);
    for (const group of ['Publish:', 'Decide:', 'Download:', 'Audit:', 'Operate:']) {
      expect(stdout).toContain(`\n${group}\n`);
    }
    for (const { name, summary } of COMMANDS) {
      expect(stdout).toMatch(new RegExp(`^  ${name} +${summary.slice(0, 20)}`, 'm'));
    }
  });

  test('"help COMMAND" and "COMMAND --help" are the same', async () => {
    const asked = await runIn(['help', 'push']);
    expect(asked).toEqual(await runIn(['push', '--help']));
    expect(asked.status).toBe(0);
    expect(asked.stdout).toContain('push ./kimi-k2 acme/kimi-k2@v1.0');
  });

  test('of every command has an example of that command', async () => {
    for (const [words] of await leaves()) {
      const { status, stdout } = await runIn([...words.split(' '), '--help']);
      expect({ words, status }).toEqual({ words, status: 0 });
      expect(stdout).toContain('Example:');
      expect(stdout).toContain(`$ weighhouse ${words}`);
      expect(stdout).toContain('--json');
    }
  });

  test('of a first word has an example of one of its commands', async () => {
    const words = (await leaves()).map(([leaf]) => leaf.split(' '));
    for (const group of new Set(words.flatMap(([first, second]) => (second ? [first!] : [])))) {
      const { stdout } = await runIn([group, '--help']);
      expect(stdout).toContain(`Example:\n  $ weighhouse ${group} `);
    }
  });

  test('is offered when nothing is asked for, as a wrong use', async () => {
    const { status, stdout, stderr } = await runIn([]);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: weighhouse');
    expect(stderr).toContain('error: name a command; "weighhouse --help" lists them\n');
  });

  test('is offered for a first word that wants another', async () => {
    const { status, stderr } = await runIn(['token']);
    expect(status).toBe(2);
    expect(stderr).toContain('create');
  });
});

describe('wrong use', () => {
  test.each([
    [['pusch'], /unknown command 'pusch'.*push/],
    [['push', 'a', 'b@c', '--jsn'], /unknown option '--jsn'.*--json/],
    [['push'], /missing required argument 'dir'/],
    [['push', 'a', 'b', 'c'], /too many arguments/],
    [['init', '--store', 'x'], /required option '--keys/],
    [['trust', 'export', '--format', 'xml'], /Allowed choices are pem/],
    [['token', 'create', '--role', 'king'], /Allowed choices are owner/],
  ])('%j is told in a sentence, with exit status 2', async (argv, sentence) => {
    const { status, stdout, stderr } = await runIn(argv);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(sentence);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test('with --json it is one document on standard output', async () => {
    for (const argv of [
      ['push', '--json'],
      ['--json', 'push'],
      ['pusch', '--json'],
    ]) {
      const { status, stdout } = await runIn(argv);
      expect(status).toBe(2);
      const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
      expect(error.code).toBe('usage');
      expect(error.message.length).toBeGreaterThan(10);
    }
  });

  test('a bad name of a release is refused before anything is asked of a registry', async () => {
    const ran = await runIn(['pull', 'Not A Name', '--url', 'http://127.0.0.1:9']);
    expect(ran.status).toBe(20);
    const reference = await runIn(['publish', 'acme/m', '--url', 'http://127.0.0.1:9']);
    expect(reference.status).toBe(2);
  });
});

describe('settings', () => {
  const home = { XDG_CONFIG_HOME: '/nonexistent' };

  test('without a registry the command says how to name one', async () => {
    const { status, stderr } = await runIn(['list'], home);
    expect(status).toBe(2);
    expect(stderr).toContain('WEIGHHOUSE_URL');
  });

  test('without a token nothing is sent', async () => {
    const env = { ...home, WEIGHHOUSE_URL: 'http://127.0.0.1:9' };
    const { status, stderr } = await runIn(['status', 'acme/m@1'], env);
    expect(status).toBe(3);
    expect(stderr).toContain('WEIGHHOUSE_TOKEN');
  });

  test('flags stand over the environment, before and after the command', async () => {
    const env = { ...home, WEIGHHOUSE_URL: 'http://127.0.0.1:9' };
    for (const argv of [
      ['list', '--url', 'not an address'],
      ['--url', 'not an address', 'list'],
    ]) {
      const { status, stderr } = await runIn(argv, env);
      expect(status).toBe(2);
      expect(stderr).toContain('"not an address"');
    }
  });
});

describe('failures', () => {
  test('whatever failed after Ctrl-C ended because of it: 130', async () => {
    const world = makeWorld({ XDG_CONFIG_HOME: '/nonexistent' });
    world.stop();
    const { status, stderr } = await run(['list', '--url', 'http://127.0.0.1:9'], world);
    expect(status).toBe(130);
    expect(stderr).toMatch(/^error: stopped/);
  });

  test('also when what failed knows nothing of it', async () => {
    const world = makeWorld({ XDG_CONFIG_HOME: '/nonexistent' });
    world.stdout.write = () => {
      world.stop();
      throw new TypeError('torn down');
    };
    expect((await run(['trust', 'list'], world)).status).toBe(130);
  });

  test('what nobody foresaw is a sentence, and with WEIGHHOUSE_DEBUG its place in the code', async () => {
    const broken = makeWorld({ XDG_CONFIG_HOME: '/nonexistent', WEIGHHOUSE_DEBUG: '1' });
    broken.stdout.write = () => {
      throw new TypeError('out of the blue');
    };
    expect((await run(['trust', 'list'], broken)).status).toBe(1);
    expect(broken.said().stderr).toMatch(
      /^error: unexpected: out of the blue\nTypeError: .*\n +at /,
    );
  });

  test('a config file that is wrong is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weighhouse-config-'));
    await mkdir(`${folder}/weighhouse`);
    await writeFile(`${folder}/weighhouse/config.json`, '{"uri": "x"}');
    const { status, stderr } = await runIn(['trust', 'list'], { XDG_CONFIG_HOME: folder });
    expect(status).toBe(2);
    expect(stderr).toContain('config.json');
    await rm(folder, { recursive: true });
  });
});
