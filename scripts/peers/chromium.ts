/** Chromium, as Debian builds it: the browser that pages are tested in. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { installFromDebian } from './install.ts';

const run = promisify(execFile);

/** Installs it where it is missing, which needs root; resolves to its path. */
export async function installChromium(): Promise<string> {
  const program = await installFromDebian('chromium');
  const { stdout } = await run('which', [program]);
  return stdout.trim();
}
