/** What people read most in a terminal: aligned, within its width, and coloured to be found. */
import { mkdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type GatedHome, makeGatedHome } from '../cli/gated-home.ts';
import { makeSafetensors } from '../made/safetensors.ts';
import { keepTop, STARTING_MS, startBrowser } from './browser.ts';
import { draw, linesOf, looksOf, type Scheme, typed } from './terminal.ts';

/** The narrowest terminal that people are used to. */
const COLUMNS = 80;

const GOOD = { colour: 'green', bold: false, dim: false };
const WARN = { colour: 'yellow', bold: false, dim: false };
const BAD = { colour: 'red', bold: false, dim: false };
const FAINT = { colour: 'default', bold: false, dim: true };
const STRONG = { colour: 'default', bold: true, dim: false };

let browser: Browser;
let home: GatedHome;
let page: Page;
let published: string;
beforeAll(async () => {
  browser = await startBrowser();
  page = await browser.newPage({ viewport: { width: 640, height: 480 } });
  home = await makeGatedHome();
  const [first, second] = [await home.push(), await home.push()];
  const about = ({ reference, digest }: typeof first) => [reference, '--digest', digest];
  await home.json('approve', ...about(first), '--reason', 'Good as it is');
  await home.json('publish', ...about(first));
  await home.json('hold', ...about(second), '--reason', 'A test is not done');
  published = first.reference;
  await write('before', { 'model.layers.0.w': 1, 'model.layers.1.w': 1 });
  await write('after', { 'model.layers.0.w': 2, 'model.layers.2.w': 1 });
}, STARTING_MS);
afterAll(async () => {
  await home?.remove();
  await browser?.close();
});

/** A folder with one tensor for each name, filled with a number. */
async function write(folder: string, tensors: Readonly<Record<string, number>>): Promise<void> {
  const made = Object.entries(tensors).map(([name, fill]) => {
    const bytes = new Uint8Array(64).fill(fill);
    return [name, { dtype: 'F32', shape: [4, 4], bytes }] as const;
  });
  await mkdir(home.path(folder));
  await writeFile(
    home.path(folder, 'model.safetensors'),
    makeSafetensors(Object.fromEntries(made)),
  );
}

/** The command's output in a terminal, dark and light, kept to be looked at. */
async function show(name: string, ...args: readonly string[]): Promise<string[]> {
  const { status, output } = await typed(home.env, COLUMNS, args);
  expect({ status, output }).toMatchObject({ status: 0 });
  for (const scheme of ['light', 'dark'] as const satisfies readonly Scheme[]) {
    await draw(page, scheme, COLUMNS, output);
    await keepTop(page, `terminal-${name}-${scheme}`);
  }
  const lines = await linesOf(page);
  // A digest may be wider than what is left, and a command must be copied as one line.
  for (const [row, { isWrapped }] of lines.entries()) {
    if (isWrapped) expect(lines[row - 1]!.text).toMatch(/sha256:[0-9a-f]*$/);
  }
  return lines.map(({ text }) => text);
}

test(
  'status of a draft: what is met, what is missing, and what would satisfy it',
  async () => {
    await show('status', 'status', 'acme/tiny@2');
    expect(await looksOf(page, 'missing')).toEqual(WARN);
    expect(await looksOf(page, '  met  ')).toEqual(GOOD);
    expect(await looksOf(page, '1 approval by the role reviewer')).toEqual(STRONG);
    expect(await looksOf(page, 'release ')).toEqual(FAINT);
  },
  STARTING_MS,
);

test(
  'history: entries in columns',
  async () => {
    await show('history', 'history', 'acme/tiny');
    expect(await looksOf(page, 'INDEX')).toEqual(FAINT);
    expect(await looksOf(page, `${published} was published`)).toEqual(GOOD);
  },
  STARTING_MS,
);

test(
  'diff: what is added, removed and changed',
  async () => {
    await show('diff', 'diff', home.path('before'), home.path('after'));
    expect(await looksOf(page, '- tensor')).toEqual(BAD);
    expect(await looksOf(page, '+ tensor')).toEqual(GOOD);
    expect(await looksOf(page, '~ tensor')).toEqual(WARN);
  },
  STARTING_MS,
);

test(
  'audit: the verdict, and what it stands on',
  async () => {
    const lines = await show('audit', 'audit', home.env.WEIGHHOUSE_URL!);
    expect(await looksOf(page, 'no violation')).toEqual(GOOD);
    expect(await looksOf(page, 'releases')).toEqual(FAINT);
    expect(lines.join('\n')).not.toContain('entries/s'); // the bar is wiped off at the end
  },
  STARTING_MS,
);
