/**
 * Ollama. Most of it is C++ that runs models, so that building it takes many minutes. A Go module comes
 * without the folders `vendor` of its sources: what they have in there for JSON and images is in
 * Debian, and for sound there is a header of ours that refuses it. Nothing of this has to do with `ollama pull`.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installFromGo, unpackFromDebian } from './install.ts';

const VERSION = 'v0.17.4';
const OUR_HEADERS = fileURLToPath(new URL('ollama', import.meta.url));

/** Resolves to the program `ollama`. Needs a compiler for C++ beside Go. */
export async function installOllama(): Promise<string> {
  const headers = [OUR_HEADERS];
  for (const name of ['nlohmann-json3-dev', 'libstb-dev']) {
    headers.push(join(await unpackFromDebian(name), 'usr', 'include'));
  }
  return installFromGo(`ollama-${VERSION}`, `github.com/ollama/ollama@${VERSION}`, {
    CPLUS_INCLUDE_PATH: headers.join(':'),
  });
}
