/**
 * A real browser, and how a page is looked at in it: on a phone and on a desk, light and dark. A
 * page that logs an error or does what its policy forbids has failed, and so has one in which axe
 * finds something. What was seen is kept in `screenshots/`, for people to look at.
 */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { installChromium } from '../../scripts/peers/chromium.ts';

export const STARTING_MS = 300_000;
/** Against what hangs: machines that run this are busy at times. */
const PATIENCE_MS = 90_000;

const SCREENSHOTS = new URL('../../screenshots/', import.meta.url);
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** What must be found good (WCAG 2.2 at level AA). */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Chromium logs every 404, also the one that says that there is no newer trust root. */
const NO_NEWER_ROOT = /\/\.well-known\/weighhouse\/root\/\d+\.json$/;

export interface Look {
  readonly name: string;
  readonly viewport: { readonly width: number; readonly height: number };
  readonly colorScheme: 'light' | 'dark';
}

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 900 };

export const LOOKS: readonly Look[] = [
  { name: 'phone-light', viewport: PHONE, colorScheme: 'light' },
  { name: 'phone-dark', viewport: PHONE, colorScheme: 'dark' },
  { name: 'desk-light', viewport: DESK, colorScheme: 'light' },
  { name: 'desk-dark', viewport: DESK, colorScheme: 'dark' },
];

export const DESK_LIGHT = LOOKS[2]!;

/** Names that browsers trust less than those of this machine, and that lead to it. */
const NAMES = '--host-resolver-rules=MAP *.test 127.0.0.1';

/** Starts the browser; installs it where it is missing. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = await installChromium();
  // As root, which containers are, Chromium has no sandbox of its own.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', NAMES];
  return chromium.launch({ executablePath, args });
}

/** A reader with a memory of their own. */
export class Visitor {
  readonly context: BrowserContext;
  /** What the pages logged as an error, and what their policy kept them from. */
  readonly faults: string[] = [];

  private constructor(context: BrowserContext) {
    this.context = context;
  }

  static async come(browser: Browser, look: Look = DESK_LIGHT): Promise<Visitor> {
    const { viewport, colorScheme } = look;
    const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' });
    context.setDefaultTimeout(PATIENCE_MS);
    return new Visitor(context);
  }

  async open(url: string): Promise<Page> {
    const page = await this.context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' && !NO_NEWER_ROOT.test(message.location().url)) {
        this.faults.push(message.text());
      }
    });
    page.on('pageerror', (error) => this.faults.push(String(error)));
    await page.goto(url);
    return page;
  }

  leave(): Promise<void> {
    return this.context.close();
  }
}

/** Shows a page that is open already as it looks there. */
export async function showAs(page: Page, { viewport, colorScheme }: Look): Promise<void> {
  await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
}

/** What axe finds in the page, each in one line. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const options = JSON.stringify({ runOnly: RULES, resultTypes: ['violations'] });
  const { violations } = (await page.evaluate(`axe.run(document, ${options})`)) as {
    violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[];
  };
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary}`),
  );
}

/** Keeps what the whole page looks like. */
export async function keep(page: Page, name: string): Promise<void> {
  await mkdir(SCREENSHOTS, { recursive: true });
  const path = new URL(`${name}.png`, SCREENSHOTS).pathname;
  await page.screenshot({ path, fullPage: true });
}

/** Keeps what is seen of the page without scrolling: a picture for README.md. */
export async function keepTop(page: Page, name: string): Promise<void> {
  const path = new URL(`${name}-top.png`, SCREENSHOTS).pathname;
  await page.screenshot({ path });
}

/** Does the page stay within its width? */
export async function isWithin(page: Page): Promise<boolean> {
  const wide = 'document.documentElement.scrollWidth <= document.documentElement.clientWidth';
  return (await page.evaluate(wide)) as boolean;
}
