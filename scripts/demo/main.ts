/**
 * `npm run demo`: the main job on real weights, each step as the command that a person would
 * type. A release is pushed, published, pulled, verified and audited; then a byte is flipped
 * in a pulled file, in the store and in the log, and each is caught.
 *
 *     npm run demo                        in a temporary directory; the server goes on until Ctrl-C
 *     npm run demo -- --once              ends when the story does
 *     npm run demo -- --model DIR         your own model
 *     npm run demo -- --dir DIR           where everything is made; it must not exist
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stage } from './stage.ts';
import { writeBasicPitch } from './weights.ts';

const ORIGIN = 'weights.example';
const RELEASE = 'demo/basic-pitch@1.0.1';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    dir: { type: 'string' },
    once: { type: 'boolean', default: false },
  },
});

const begun = performance.now();
const home = makeHome(options.dir);
const program = fileURLToPath(new URL('../../bin/weighhouse.js', import.meta.url));
const stage = new Stage(program, home, {
  XDG_CONFIG_HOME: join(home, 'config'),
  WEIGHHOUSE_LOG_LEVEL: 'error',
});
const model = options.model === undefined ? join(home, 'model') : resolve(options.model);
const release = options.model === undefined ? RELEASE : 'demo/model@1.0';

const ended = await play();
if (options.once) {
  ended.server.kill('SIGTERM');
  if (options.dir === undefined) rmSync(home, { recursive: true });
} else {
  stage.say(`\nThe server goes on at ${ended.url}, its files are in ${home}. Ctrl-C ends it.`);
  process.on('SIGINT', () => ended.server.kill('SIGTERM'));
}

async function play() {
  stage.title('A model');
  if (options.model === undefined) writeBasicPitch(model);
  stage.run(['inspect', model], { lines: 12 });

  stage.title('A registry: its keys, its trust root, its empty log, and a namespace');
  const { stdout } = stage.run([
    'init',
    ...['--store', './store', '--keys', './keys', '--origin', ORIGIN, '--namespace', 'demo'],
    ...['--root-key', './offline/root.key', '--owner-key', './offline/owner.key'],
    ...['--no-passphrase', '--json'],
  ]);
  const made = JSON.parse(stdout) as { token: string; fingerprint: string };
  const { url, server } = await stage.serve([
    'serve',
    '--store',
    './store',
    '--keys',
    './keys',
    '--listen',
    '127.0.0.1:0',
  ]);
  try {
    stage.set('WEIGHHOUSE_URL', url);
    stage.set('WEIGHHOUSE_TOKEN', made.token);

    stage.title('Publish a signed release');
    stage.run(['push', model, release]);
    const { digest } = stage.ask(['status', release]);
    stage.run(['status', release]);
    stage.run(['publish', release, '--digest', String(digest)]);

    stage.title('Download verified weights');
    stage.run(['trust', 'add', url, '--fingerprint', made.fingerprint]);
    stage.run(['pull', release, './pulled']);
    stage.run(['verify', './pulled']);

    stage.title('A byte is flipped in a pulled file');
    const file = largestFile(join(home, 'pulled'));
    flip(file);
    stage.run(['verify', './pulled'], { expected: 10 });
    flip(file);
    stage.run(['verify', './pulled']);

    stage.title('A byte is flipped in the store');
    const blob = largestFile(join(home, 'store/objects/blobs'));
    flip(blob);
    stage.run(['pull', release, './pulled-damaged'], { expected: 10 });
    flip(blob);

    stage.title('The log is rewritten');
    const bundle = largestFile(join(home, 'store/objects/log/tile/entries'));
    flip(bundle);
    stage.run(['audit', url], { expected: 12 });
    flip(bundle);

    stage.title('Audit the release history, without trusting the registry');
    stage.run(['history', release.split('@')[0]!]);
    stage.run(['audit', url]);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    stage.say(
      `\nDone in ${seconds} s: published, logged, pulled, verified, audited; three changed bytes, three refusals.`,
    );
    return { url, server };
  } catch (error) {
    server.kill('SIGTERM');
    throw error;
  }
}

function makeHome(wanted: string | undefined): string {
  if (wanted === undefined) return mkdtempSync(join(tmpdir(), 'weighhouse-demo-'));
  if (existsSync(wanted))
    throw new Error(`${wanted} exists already; give a directory that does not`);
  mkdirSync(wanted, { recursive: true });
  return resolve(wanted);
}

/** The largest file below `directory`, as the one whose bytes matter most. */
function largestFile(directory: string): string {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('.weighhouse'));
  return files.sort((a, b) => statSync(b).size - statSync(a).size)[0]!;
}

/** Flips one bit in the middle of a file, in place. */
function flip(path: string): void {
  const at = Math.floor(statSync(path).size / 2);
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0]! ^= 1;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}
