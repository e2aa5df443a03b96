/**
 * A terminal to look at: a command runs on a pseudo-terminal of the machine's, and what it wrote
 * is drawn by xterm.js, which many editors have as theirs, in the real browser.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

const PROGRAM = fileURLToPath(new URL('../../bin/weighhouse.js', import.meta.url));
const { resolve } = createRequire(import.meta.url);
const XTERM = resolve('@xterm/xterm');
const STYLE = resolve('@xterm/xterm/css/xterm.css');
/** Lines that are kept to be drawn; no command here says more. */
const ROWS = 60;

/** As terminals look by themselves, and as people set them. */
const SCHEMES = {
  dark: { background: '#1e1e1e', foreground: '#d4d4d4' },
  light: {
    background: '#ffffff',
    foreground: '#333333',
    green: '#107c10',
    red: '#cd3131',
    yellow: '#7a6400',
  },
} as const;
export type Scheme = keyof typeof SCHEMES;

/** ECMA-48, table of SGR parameters: what `styleText` asks for. */
const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

/** How a stretch of text is shown. */
export interface Shown {
  readonly colour: string;
  readonly bold: boolean;
  readonly dim: boolean;
}

/** What a page knows of xterm.js. */
interface Cell {
  getFgColor(): number;
  isFgDefault(): boolean;
  isBold(): number;
  isDim(): number;
}
interface Xterm {
  readonly buffer: {
    readonly active: {
      readonly length: number;
      getLine(row: number):
        | {
            readonly isWrapped: boolean;
            translateToString(trim: boolean): string;
            getCell(column: number): Cell | undefined;
          }
        | undefined;
    };
  };
}
declare const terminal: Xterm;

/** Everything that the program writes to a terminal with so many columns, and how it ended. */
export async function typed(
  env: NodeJS.ProcessEnv,
  columns: number,
  args: readonly string[],
): Promise<{ readonly output: string; readonly status: number | null }> {
  const words = [process.execPath, PROGRAM, ...args].map((word) => `'${word}'`).join(' ');
  const command = `stty cols ${columns} rows ${ROWS} && exec ${words}`;
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env: { PATH: process.env.PATH, TERM: 'xterm-256color', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((done, failed) => {
    child.once('error', failed).once('close', done);
  });
  const parts: Buffer[] = [];
  for await (const part of child.stdout) parts.push(part as Buffer);
  return { status: await ended, output: Buffer.concat(parts).toString('utf8') };
}

/** The page with the terminal, and all of that on it. */
export async function draw(
  page: Page,
  scheme: Scheme,
  columns: number,
  output: string,
): Promise<void> {
  await page.setContent('<body style="margin:0"><div id="screen"></div></body>');
  await page.addStyleTag({ path: STYLE });
  await page.addScriptTag({ path: XTERM });
  const options = { cols: columns, rows: ROWS, fontSize: 13, theme: SCHEMES[scheme] };
  const isFitting = await page.evaluate(
    `new Promise((drawn) => {
      globalThis.terminal = new Terminal(${JSON.stringify({ ...options, scrollback: 0 })});
      terminal.open(document.getElementById('screen'));
      terminal.write(${JSON.stringify(output)}, () => drawn(terminal.buffer.active.baseY === 0));
    })`,
  );
  if (isFitting !== true) throw new Error(`more than ${ROWS} lines were written`);
}

/** The lines that are shown, without those that are empty at the end. */
export async function linesOf(page: Page): Promise<{ text: string; isWrapped: boolean }[]> {
  const lines = await page.evaluate(() => {
    const { active } = terminal.buffer;
    return Array.from({ length: active.length }, (_, row) => {
      const line = active.getLine(row)!;
      return { text: line.translateToString(true), isWrapped: line.isWrapped };
    });
  });
  const last = lines.findLastIndex(({ text }) => text !== '');
  return lines.slice(0, last + 1);
}

/** How the first place where `text` stands is shown; undefined where it stands nowhere. */
export async function looksOf(page: Page, text: string): Promise<Shown | undefined> {
  const found = await page.evaluate((wanted) => {
    const { active } = terminal.buffer;
    for (let row = 0; row < active.length; row++) {
      const line = active.getLine(row)!;
      const column = line.translateToString(false).indexOf(wanted);
      if (column < 0) continue;
      const cell = line.getCell(column)!;
      const colour = cell.isFgDefault() ? -1 : cell.getFgColor();
      return { colour, bold: cell.isBold() !== 0, dim: cell.isDim() !== 0 };
    }
    return null;
  }, text);
  return found === null ? undefined : { ...found, colour: COLOURS[found.colour] ?? 'default' };
}
