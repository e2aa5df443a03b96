/** `npm run check`: types, the purity of the core, lint and format, unused code, directions of imports. */
import { spawnSync } from 'node:child_process';

const CHECKS: readonly (readonly [name: string, program: string, ...args: string[]])[] = [
  ['types', 'tsc', '-p', 'tsconfig.json'],
  ['the core is free of Node types', 'tsc', '-p', 'tsconfig.core.json'],
  ['pages run in browsers alone', 'tsc', '-p', 'tsconfig.browser.json'],
  ['lint and format', 'biome', 'ci', '--colors=off', '--max-diagnostics=50', '.'],
  ['directions of imports', 'depcruise', '--config', '.dependency-cruiser.cjs', 'src'],
  ['unused code', 'knip', '--no-progress'],
];

const failed = CHECKS.filter(([name, program, ...args]) => {
  const { status, stdout, stderr } = spawnSync(`node_modules/.bin/${program}`, args, {
    encoding: 'utf8',
  });
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name}`);
  if (status !== 0) console.log(`${stdout}${stderr}`);
  return status !== 0;
});
console.log(`${CHECKS.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
