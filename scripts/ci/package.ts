/**
 * The package as a stranger gets it: built, packed, installed into an empty folder, and run.
 * `weighhouse --version` must answer within 200 ms, the best of a few starts, because that is
 * what the program takes; the rest is what else the machine was doing.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAX_START_MS = 200;
const STARTS = 10;

const folder = mkdtempSync(join(tmpdir(), 'weighhouse-package-'));
try {
  run('npm', ['run', 'build']);
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder]));
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  run('npm', ['install', '--omit=dev', join(folder, packed.filename)], folder);
  const program = join(folder, 'node_modules/weighhouse/bin/weighhouse.js');
  for (const script of ['release.js', 'files.js', 'worker.js']) {
    readFileSync(join(folder, 'node_modules/weighhouse/dist/browser', script));
  }
  const version = start(program, ['--version']).stdout.trim();
  const times = Array.from({ length: STARTS }, () => start(program, ['--version']).milliseconds);
  const best = Math.min(...times);
  console.log(
    `weighhouse ${version}: ${packed.size} bytes packed, starts in ${best.toFixed(0)} ms`,
  );
  if (best >= MAX_START_MS) throw new Error(`it must start in less than ${MAX_START_MS} ms`);
  refuseOldNode(program);
  start(program, ['key', 'new', join(folder, 'me.key'), '--no-passphrase']);
  const shown = start(program, ['key', 'show', join(folder, 'me.key')]).stdout;
  if (!shown.includes('BEGIN PUBLIC KEY'))
    throw new Error(`"key show" printed ${JSON.stringify(shown)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** An old Node, where this machine's own is one, is told so in one sentence. */
function refuseOldNode(program: string): void {
  const version = run('node', ['--version'], folder).trim();
  const [major, minor] = version.slice(1).split('.').map(Number) as [number, number];
  if (major > 24 || (major === 24 && minor >= 6)) {
    console.log(`Node on PATH is ${version}: no old one to be refused`);
    return;
  }
  const { status, stderr } = spawnSync('node', [program, '--version'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 1 || !/^weighhouse needs Node 24\.6 or newer.*\n$/.test(stderr)) {
    throw new Error(`Node ${version} was not refused in one sentence: ${status}, ${stderr}`);
  }
  console.log(`Node ${version} is refused in one sentence`);
}

function run(program: string, args: readonly string[], cwd = process.cwd()): string {
  return execFileSync(program, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function start(program: string, args: readonly string[]) {
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`weighhouse ${args.join(' ')} ended with ${status}: ${stderr}`);
  return { stdout, milliseconds: performance.now() - begun };
}
