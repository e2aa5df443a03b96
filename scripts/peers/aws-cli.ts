/** The AWS command line, as operators use it on a bucket; from PyPI into the user's cache. */
import { installFromPypi } from './install.ts';

const VERSION = '1.46.3';

/** Installs the program once; resolves to the words that run it. Needs Python 3 with venv. */
export async function installAwsCli(): Promise<readonly string[]> {
  const python = await installFromPypi(`awscli-${VERSION}`, [`awscli==${VERSION}`]);
  // Not its script: that names the folder in which it was installed before it was whole.
  return [python, '-m', 'awscli'];
}
