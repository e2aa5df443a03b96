/** Completion as bash itself does it, out of the script that the program prints. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { type Home, makeHome } from '../command-line.ts';

let home: Home;
let script: string;
beforeAll(async () => {
  home = await makeHome();
  script = (await home.run('completion', 'bash')).stdout;
});
afterAll(() => home.remove());

/** What bash offers for the last of these words. */
function complete(...words: string[]): string[] {
  const program = `${script}
COMP_WORDS=(weighhouse "$@"); COMP_CWORD=$#; _weighhouse; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const options = { encoding: 'utf8', env: { PATH: process.env.PATH! } } as const;
  const found = execFileSync('bash', ['--norc', '-c', program, 'bash', ...words], options);
  return found.split('\n').filter((word) => word !== '');
}

test('every command is completed', () => {
  expect(complete('')).toEqual([...COMMANDS.map(({ name }) => name), 'help']);
  expect(complete('pu')).toEqual(['publish', 'pull', 'push'].sort(byOrder));
});

/** In the order of the program’s own list. */
function byOrder(a: string, b: string): number {
  const at = (word: string) => COMMANDS.findIndex(({ name }) => name === word);
  return at(a) - at(b);
}

test('what stands below a command is completed below it alone', () => {
  expect(complete('token', '')).toEqual(expect.arrayContaining(['create', 'revoke']));
  expect(complete('--json', 'token', 'cr')).toEqual(['create']);
  expect(complete('cr')).toEqual([]);
});

test('flags are those of the command', () => {
  expect(complete('evaluate', 'acme/tiny@1', '--re')).toEqual(['--result', '--report']);
  expect(complete('pull', '--re')).not.toContain('--result');
  expect(complete('-')).toEqual(expect.arrayContaining(['--json', '--help', '-h', '-V']));
});

test('fixed choices are completed, of flags and of arguments', () => {
  expect(complete('evaluate', '--result', '')).toEqual(['passed', 'warned', 'failed']);
  expect(complete('advise', '--kind', 're')).toEqual(['recalled']);
  expect(complete('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  expect(complete('help', 'audi')).toEqual(['audit']);
});

test('where anything may stand, bash is left to complete files', () => {
  expect(complete('push', '')).toEqual([]);
  expect(complete('push', '--key', '')).toEqual([]);
  expect(script).toContain('complete -o bashdefault -o default -F _weighhouse weighhouse');
});

test('another shell is refused with those that there are', async () => {
  const { status, stderr } = await home.run('completion', 'tcsh');
  expect(status).toBe(2);
  expect(stderr).toContain('bash, zsh, fish');
});
