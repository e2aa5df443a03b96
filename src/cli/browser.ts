/** Shows something in the person's browser, where there is one. */
import openInBrowser from 'open';
import type { Config } from '../config.ts';

/** False where there is no screen, or nothing could be started: the address is said all the same. */
export async function isShown({ hasScreen }: Config, url: string): Promise<boolean> {
  if (!hasScreen) return false;
  try {
    await openInBrowser(url);
    return true;
  } catch {
    return false;
  }
}
