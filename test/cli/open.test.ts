/** `open REF`: the page of a release, in a browser or as an address. */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type GatedHome, makeGatedHome } from './gated-home.ts';

const execute = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('../../bin/weighhouse.js', import.meta.url));

let home: GatedHome;
let draft: string;
let published: string;
let digest: string;
beforeAll(async () => {
  home = await makeGatedHome();
  const pushed = await home.push();
  ({ reference: published, digest } = pushed);
  await home.json('approve', published, '--digest', digest);
  await home.json('publish', published, '--digest', digest);
  draft = (await home.push()).reference;
});
afterAll(() => home.remove());

const page = () => `${home.env.WEIGHHOUSE_URL}/${published.replace('@', '/')}`;

describe('open', () => {
  test('says the address where there is no screen, whichever way the release is named', async () => {
    const model = published.split('@')[0]!;
    for (const reference of [published, model, `${model}@${digest}`]) {
      const answer = await home.json('open', reference);
      expect(answer).toEqual({ url: page(), opened: false });
    }
    expect((await home.run('open', published)).stdout).toBe(`${page()}\n`);
  });

  test('of a draft says what shows it, to whoever may see it', async () => {
    const { status, stderr } = await home.run('open', draft);
    expect(status).toBe(4);
    expect(stderr).toContain(`${draft} is a draft (sealed) and has no page`);
    expect(stderr).toContain(`"weighhouse status ${draft}"`);
    const stranger = await home.run('open', draft, '--token', '');
    expect(stranger.stderr).not.toContain('is a draft');
    expect((await home.run('open', 'acme/absent@1')).status).toBe(4);
  });

  test('opens it in the browser, where there is one', async () => {
    const [browser, seen] = [home.path('browser'), home.path('seen')];
    writeFileSync(browser, `#!/bin/sh\nprintf '%s' "$1" > ${seen}.new && mv ${seen}.new ${seen}\n`);
    chmodSync(browser, 0o755);
    const shown = new Promise<void>((resolve) => {
      const watcher = watch(home.path('.'), () => {
        if (!existsSync(seen)) return;
        watcher.close();
        resolve();
      });
    });
    // A desktop that knows no browser of its own.
    const desktop = { DISPLAY: ':9', XDG_DATA_DIRS: home.path('.'), XDG_DATA_HOME: home.path('.') };
    const env = { ...home.env, PATH: process.env.PATH, ...desktop, BROWSER: browser };
    // Not in this process’s way: the server that it asks is in it.
    const open = async (...flags: string[]) => {
      const args = [PROGRAM, 'open', published, '--json', ...flags];
      return JSON.parse((await execute(process.execPath, args, { env })).stdout);
    };
    expect(await open('--print')).toEqual({ url: page(), opened: false });
    expect(existsSync(seen)).toBe(false);
    expect(await open()).toEqual({ url: page(), opened: true });
    await shown;
    expect(readFileSync(seen, 'utf8')).toBe(page());
  });
});
