/** The page of a release in a real browser: what it proves, and what it finds when it is lied to. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { GatedServer } from '../made/gated-served.ts';
import { forkOf, LIES, replayed } from '../made/lies.ts';
import { RELEASE } from '../made/live-registry.ts';
import { ONE_APPROVAL } from '../made/team.ts';
import {
  axeFindings,
  isWithin,
  keep,
  LOOKS,
  STARTING_MS,
  startBrowser,
  Visitor,
} from './browser.ts';
import { LyingServer } from './lying-server.ts';

const PAGE = '/acme/tiny/v1.0';
/** Three chunks. */
const WEIGHTS = new Uint8Array(20 * 2 ** 20).map((_, i) => i % 251);
const FILES = {
  'README.md': '---\nlicense: apache-2.0\n---\n# Tiny\n\nA tiny model.\n',
  'config.json': '{"layers":1}',
  'shards/weights.bin': WEIGHTS,
};

let browser: Browser;
let gated: GatedServer;
let server: LyingServer;
let visitor: Visitor;
let folder: string;
/** The log before the release. */
let before: Uint8Array;

beforeAll(async () => {
  browser = await startBrowser();
  gated = await GatedServer.start(ONE_APPROVAL, {});
  before = new Uint8Array(await (await gated.served.fetch('/log/checkpoint')).arrayBuffer());
  await gated.push(RELEASE, FILES);
  await gated.decide('rita', { decision: 'approve' });
  await gated.publish();
  server = await LyingServer.start(gated.served.url);
  folder = await mkdtemp(join(tmpdir(), 'weighhouse-copies-'));
}, STARTING_MS);

afterAll(async () => {
  await browser?.close();
  await server?.close();
  await gated?.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  server.change = () => undefined;
  visitor = await Visitor.come(browser);
});
afterEach(() => visitor.leave());

/** The page, once it has checked all that it will. */
async function checked(who = visitor): Promise<Page> {
  const page = await who.open(server.url + PAGE);
  await page.waitForSelector('#proof[data-checked]');
  return page;
}

/** `id: state` of every step. */
async function stepsOf(page: Page): Promise<Record<string, string>> {
  const rows = await page.locator('#proof .steps > li').all();
  const states = rows.map(async (row) => [
    (await row.getAttribute('data-step'))!,
    (await row.getAttribute('data-state'))!,
  ]);
  return Object.fromEntries(await Promise.all(states)) as Record<string, string>;
}

describe('a good release', () => {
  test.each(LOOKS)('is checked, and looks as it should: $name', async (look) => {
    const reader = await Visitor.come(browser, look);
    const page = await checked(reader);
    await page.waitForSelector('.drop');
    expect(Object.values(await stepsOf(page)).toSorted()).toEqual([
      ...Array(9).fill('passed'),
      'skipped',
    ]);
    expect(await isWithin(page)).toBe(true);
    await keep(page, `release-${look.name}`);
    for (const summary of await page.locator('#proof summary').all()) await summary.click();
    expect(await isWithin(page)).toBe(true);
    await keep(page, `release-open-${look.name}`);
    expect(await axeFindings(page)).toEqual([]);
    expect(reader.faults).toEqual([]);
    await reader.leave();
  });

  test('is remembered: a second visit compares the log with that of the first', async () => {
    await checked();
    const page = await checked();
    expect(await stepsOf(page)).toMatchObject({ growth: 'passed' });
    await page.locator('[data-step=root] summary').click();
    expect(await page.locator('#proof').textContent()).toContain('Remembered since');
    expect(visitor.faults).toEqual([]);
  });
});

test('a page that came over plain http says why it checks nothing, and what does', async () => {
  const { port } = new URL(server.url);
  const page = await visitor.open(`http://weights.test:${port}${PAGE}`);
  await page.getByText('only on pages that came over https').waitFor();
  const shown = await page.locator('#proof').textContent();
  expect(shown).toContain('Run: weighhouse verify acme/tiny@v1.0');
  expect(await page.locator('#proof .steps > li').count()).toBe(0);
  expect(await axeFindings(page)).toEqual([]);
  // Chromium says that without https it minds no opener policy.
  expect(visitor.faults.filter((fault) => !fault.includes('Opener-Policy'))).toEqual([]);
});

describe('a server that lies', () => {
  const lies = Object.entries(LIES).filter(([, { step }]) => step !== 'freshness');
  test.each(lies)(
    'about %s fails at that step, and at no other',
    async (name, { step, change }) => {
      server.change = change;
      const page = await checked();
      const steps = await stepsOf(page);
      const failed = Object.keys(steps).filter((id) => steps[id] === 'failed');
      expect(failed).toEqual([step]);
      expect(await page.locator('#proof > .summary').textContent()).toContain(
        'Do not use this release',
      );
      if (step !== 'gate') expect(await page.locator('.drop').count()).toBe(0);
      if (name === 'another manifest') {
        await keep(page, 'lie-manifest');
        expect(await axeFindings(page)).toEqual([]);
      }
    },
  );

  test('about how long its log is, is found by whoever was there before', async () => {
    await checked();
    server.change = replayed('/log/checkpoint', before);
    const page = await checked();
    expect(await stepsOf(page)).toMatchObject({
      growth: 'failed',
      manifest: 'skipped',
    });
    const row = page.locator('[data-step=growth]');
    expect(await row.locator('pre').count()).toBe(2);
    await keep(page, 'lie-rollback');
    expect(await axeFindings(page)).toEqual([]);
  });

  test('with a second log under the same key is found by whoever saw the first', async () => {
    await checked();
    server.change = await forkOf(gated.served);
    const page = await checked();
    expect(await stepsOf(page)).toMatchObject({ growth: 'failed' });
    const row = page.locator('[data-step=growth]');
    expect(await row.textContent()).toContain('two logs are shown under one name');
    expect(await row.locator('pre').count()).toBe(2);
  });
});

describe('a copy', () => {
  /** The folder of a copy with these files. */
  async function copy(name: string, files: Readonly<Record<string, Uint8Array | string>>) {
    const at = join(folder, name);
    for (const [path, content] of Object.entries(files)) {
      await mkdir(join(at, path, '..'), { recursive: true });
      await writeFile(join(at, path), content);
    }
    return at;
  }

  /** Drops these files or folders of this machine on the page, as a mouse would. */
  async function drop(page: Page, ...paths: string[]): Promise<string> {
    const zone = page.locator('.drop');
    await zone.scrollIntoViewIfNeeded();
    const box = (await zone.boundingBox())!;
    const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    const session = await page.context().newCDPSession(page);
    const data = { items: [], files: paths, dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, ...at, data });
    }
    return outcome(page);
  }

  /** What is said in the end. */
  async function outcome(page: Page): Promise<string> {
    await page.waitForSelector('.desk .outcomes li');
    return (await page.locator('.desk .summary').textContent())!;
  }

  const flipped = WEIGHTS.slice();
  flipped[9 * 2 ** 20]! ^= 1;

  test('that is whole matches, file by file and as a folder, and nothing is uploaded', async () => {
    const whole = await copy('whole', FILES);
    const page = await checked();
    expect(await drop(page, join(whole, 'shards/weights.bin'))).toBe('1 file matches.');
    expect(await page.locator('.outcomes').textContent()).toContain(
      'weights.bin matches shards/weights.bin',
    );
    expect(await drop(page, whole)).toBe('3 files match.');
    await keep(page, 'copy-matches');
    expect(server.requests.filter((request) => !request.startsWith('GET '))).toEqual([]);
    expect(visitor.faults).toEqual([]);
  });

  test('with one bit flipped differs, in the chunk where it lies', async () => {
    const bad = await copy('flipped', { 'weights.bin': flipped });
    const page = await checked();
    expect(await drop(page, join(bad, 'weights.bin'))).toBe('1 differs.');
    expect(await page.locator('.outcomes').textContent()).toContain(
      'first in chunk 2: bytes 8,388,608 to 16,777,215',
    );
  });

  test('with a file missing, one too many and one damaged is told so', async () => {
    const { 'config.json': _, ...rest } = FILES;
    const bad = await copy('damaged', {
      ...rest,
      'shards/weights.bin': flipped,
      'setup.py': 'import os',
      '.weighhouse/release.json': '{}',
    });
    const page = await checked();
    expect(await drop(page, bad)).toBe(
      '1 file matches, 1 differs, 1 is missing, 1 is not part of the release.',
    );
    await keep(page, 'copy-damaged');
    expect(await axeFindings(page)).toEqual([]);
  });

  test('can be chosen with the keyboard, as files and as a folder', async () => {
    const whole = await copy('chosen', FILES);
    const page = await checked();
    const choosing = page.waitForEvent('filechooser');
    await page.locator('input[multiple]').press('Enter');
    await (await choosing).setFiles(join(whole, 'config.json'));
    expect(await outcome(page)).toBe('1 file matches.');
    await page.locator('input[webkitdirectory]').setInputFiles(whole);
    await page.getByText('3 files match.').waitFor();
  });

  test('that was renamed by a browser is found by what it holds', async () => {
    const renamed = await copy('renamed', { 'weights (1).bin': WEIGHTS, 'other.txt': 'no' });
    const page = await checked();
    const paths = ['weights (1).bin', 'other.txt'].map((name) => join(renamed, name));
    expect(await drop(page, ...paths)).toBe('1 file matches, 1 is not part of the release.');
  });

  test('cannot be compared with a list of chunks that is not the manifest’s', async () => {
    const whole = await copy('listed', FILES);
    const page = await checked();
    server.change = (path, bytes) =>
      path.includes('/chunks/') ? bytes.map((byte) => byte ^ 1) : undefined;
    expect(await drop(page, join(whole, 'shards/weights.bin'))).toBe('1 could not be read.');
    expect(await page.locator('.outcomes').textContent()).toContain('does not have the root');
  });
});

describe('a download', () => {
  /** Pickers as in a browser that has them, which choose the page's own private folder. */
  const PICKERS = `
    window.showDirectoryPicker = () => navigator.storage.getDirectory();
    window.showSaveFilePicker = undefined;`;
  const sizeOf = (path: string) => `(async () => {
    let at = await navigator.storage.getDirectory();
    const names = ${JSON.stringify(path)}.split('/');
    for (const name of names.slice(0, -1)) at = await at.getDirectoryHandle(name);
    const file = await at.getFileHandle(names.at(-1)).catch(() => undefined);
    return file === undefined ? -1 : (await file.getFile()).size;
  })()`;

  test('writes what it has verified', async () => {
    await visitor.context.addInitScript(PICKERS);
    const page = await checked();
    await page.getByRole('button', { name: 'Download and verify all files' }).click();
    await page.getByText('All 3 files are saved').waitFor();
    expect(await page.evaluate(sizeOf('shards/weights.bin'))).toBe(WEIGHTS.length);
    expect(visitor.faults).toEqual([]);
  });

  test('keeps nothing of a file that is not the one that was signed', async () => {
    await visitor.context.addInitScript(PICKERS);
    const page = await checked();
    server.change = (path, bytes) => {
      if (!path.endsWith('/files/shards/weights.bin')) return undefined;
      const spoiled = bytes.slice();
      spoiled[0]! ^= 1;
      return spoiled;
    };
    await page.getByRole('button', { name: 'Download and verify all files' }).click();
    await page.getByText('are not those of the manifest').waitFor();
    expect(await page.evaluate(sizeOf('config.json'))).toBe(12);
    expect(await page.evaluate(sizeOf('shards/weights.bin'))).toBe(-1);
  });

  test('is left to the command line where a page may not write files', async () => {
    await visitor.context.addInitScript('window.showDirectoryPicker = undefined;');
    const page = await checked();
    await page.getByText('does not let a page write files').waitFor();
    expect(await page.locator('#proof').textContent()).toContain('weighhouse pull acme/tiny@v1.0');
  });
});
