/** Completion as zsh and fish do it, each in its own way of asking. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { installFromDebian } from '../../scripts/peers/install.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/weighhouse.js', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'));
  for (const shell of ['zsh', 'fish']) {
    await installFromDebian(shell);
    const script = execFileSync(process.execPath, [PROGRAM, 'completion', shell]);
    writeFileSync(join(folder, shell), script);
  }
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(shell: string, ...args: string[]): string[] {
  const env = { PATH: process.env.PATH!, HOME: folder, XDG_CONFIG_HOME: folder };
  const found = execFileSync(shell, args, { encoding: 'utf8', env, cwd: folder });
  return found.split('\n').filter((line) => line !== '');
}

describe('fish', () => {
  const complete = (line: string) =>
    run('fish', '--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', 'fish', line);

  test('completes commands with what they do, flags and choices', () => {
    expect(complete('weighhouse audi')).toEqual([
      'audit\treplay the whole log and check every release',
    ]);
    expect(complete('weighhouse --json token cr').map(firstWord)).toEqual(['create']);
    expect(complete('weighhouse evaluate --resul').map(firstWord)).toEqual(['--result']);
    expect(complete('weighhouse evaluate --result ').map(firstWord)).toEqual([
      'failed',
      'passed',
      'warned',
    ]);
    expect(complete('weighhouse completion ').map(firstWord)).toEqual(['bash', 'fish', 'zsh']);
  });

  test('completes files where anything may stand', () => {
    expect(complete('weighhouse push zs').map(firstWord)).toEqual(['zsh']);
    expect(complete('weighhouse token zs')).toEqual([]);
  });
});

describe('zsh', () => {
  /** Completes in a terminal of zsh's own: types the line and a tab, and reads the line again. */
  const complete = (line: string) =>
    run('zsh', '-f', '-c', TERMINAL, 'zsh', join(folder, 'zsh'), line).at(-1);
  const TERMINAL = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1= PS2= RPS1=; stty -echo; autoload -U compinit && compinit -u -D; source $1"
zpty -w shell "show() { print -r -- \\"LINE[\\$BUFFER]\\"; exit }; zle -N show; bindkey '^X' show; print -r -- READY"
while zpty -r shell said; do [[ $said == *READY* ]] && break; done
zpty -w -n shell "$2"$'\\t\\x18'
while zpty -r shell said; do
  [[ $said == *LINE\\[* ]] && { said=\${said#*LINE\\[}; print -r -- "\${said%%\\]*}"; break }
done
zpty -d shell`;

  test('completes commands, what stands below them, flags and choices', () => {
    expect(complete('weighhouse audi')).toBe('weighhouse audit ');
    expect(complete('weighhouse --json token cr')).toBe('weighhouse --json token create ');
    expect(complete('weighhouse evaluate --resul')).toBe('weighhouse evaluate --result ');
    expect(complete('weighhouse evaluate --result pa')).toBe(
      'weighhouse evaluate --result passed ',
    );
    expect(complete('weighhouse completion ba')).toBe('weighhouse completion bash ');
  });

  test('completes files where anything may stand', () => {
    expect(complete('weighhouse push fis')).toBe('weighhouse push fish ');
  });
});

function firstWord(line: string): string {
  return line.split('\t')[0]!;
}
