/** The program as people have it: compiled. The package's lane of `.ci/run` installs it; here it is only run. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const CHECKOUT = join(import.meta.dirname, '..', '..');

/** From the sources, as a checkout runs it. */
export const SOURCES = join(CHECKOUT, 'bin', 'weighhouse.js');

/** The compiled program below `folder`, made unless it is there already: the path to start. */
export function compiled(folder: string): string {
  const home = join(folder, 'compiled');
  const program = join(home, 'bin', 'weighhouse.js');
  if (existsSync(program)) return program;
  const compile = ['-p', 'tsconfig.build.json', '--outDir', join(home, 'dist')];
  execFileSync(join(CHECKOUT, 'node_modules', '.bin', 'tsc'), compile, { cwd: CHECKOUT });
  symlinkSync(join(CHECKOUT, 'node_modules'), join(home, 'node_modules'));
  cpSync(join(CHECKOUT, 'package.json'), join(home, 'package.json'));
  // Last: with it the program counts as made.
  cpSync(join(CHECKOUT, 'bin'), join(home, 'bin'), { recursive: true });
  return program;
}
