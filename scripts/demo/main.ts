/**
 * `npm run demo`: a story on real weights, each step as the command that a person would type.
 *
 *     npm run demo                        the main job: publish, pull, verify, audit; tamper, and be caught
 *     npm run demo -- --story postponed   a lab that announces, postpones twice, and at last releases
 *     npm run demo -- --once              ends when the story does; else the server goes on until Ctrl-C
 *     npm run demo -- --model DIR         your own model
 *     npm run demo -- --dir DIR           where everything is made; it must not exist
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ReleaseName } from '../../src/core/release/name.ts';
import { releasePage } from '../../src/server/pages/addresses.ts';
import type { Story } from './play.ts';
import { Stage } from './stage.ts';
import { postponedStory } from './stories/postponed.ts';
import { releaseStory } from './stories/release.ts';
import { writeBasicPitch } from './weights.ts';

const STORIES: Readonly<Record<string, Story>> = {
  release: releaseStory,
  postponed: postponedStory,
};

const { values: options } = parseArgs({
  options: {
    story: { type: 'string', default: 'release' },
    model: { type: 'string' },
    dir: { type: 'string' },
    once: { type: 'boolean', default: false },
  },
});

const story = Object.hasOwn(STORIES, options.story) ? STORIES[options.story] : undefined;
if (story === undefined) {
  console.error(
    `there is no story ${options.story}; there are: ${Object.keys(STORIES).join(', ')}`,
  );
  process.exit(2);
}

const begun = performance.now();
const home = makeHome(options.dir);
const program = fileURLToPath(new URL('../../bin/weighhouse.js', import.meta.url));
const stage = new Stage(program, home, {
  XDG_CONFIG_HOME: join(home, 'config'),
  WEIGHHOUSE_LOG_LEVEL: 'error',
});
const model = join(home, 'model');
// Nobody else would end the server.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stage.end();
    process.exit(0);
  });
}
let released: ReleaseName;

try {
  stage.title('A model');
  if (options.model === undefined) writeBasicPitch(model);
  else cpSync(resolve(options.model), model, { recursive: true });
  stage.run(['inspect', './model'], { lines: 12 });
  released = await story({
    stage,
    home,
    model: './model',
    isOwnModel: options.model !== undefined,
  });
} catch (error) {
  stage.end();
  throw error;
}
stage.say(`Done in ${((performance.now() - begun) / 1000).toFixed(1)} s.`);
if (options.once) {
  stage.end();
  if (options.dir === undefined) rmSync(home, { recursive: true });
} else {
  const page = `${stage.url}${releasePage(released)}`;
  stage.say(`\nOpen ${page}
The page checks itself, step by step. Drop a file of ${join(home, 'pulled')} on it,
or choose it there, and it is compared with what was signed.

The server goes on at ${stage.url}, its files are in ${home}. Ctrl-C ends it.`);
}

function makeHome(wanted: string | undefined): string {
  if (wanted === undefined) return mkdtempSync(join(tmpdir(), 'weighhouse-demo-'));
  if (existsSync(wanted))
    throw new Error(`${wanted} exists already; give a directory that does not`);
  mkdirSync(wanted, { recursive: true });
  return resolve(wanted);
}
