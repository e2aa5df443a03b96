#!/usr/bin/env node
// The entry point. Plain JavaScript that any Node can read, so that an old one gets a
// sentence instead of a syntax error. A checkout runs from its sources, the package from dist.
import { existsSync } from 'node:fs';
// As a whole: an old Node refuses to load a file that names what it does not have.
import * as module from 'node:module';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 6)) {
  console.error(
    `weighhouse needs Node 24.6 or newer, and this is ${process.versions.node}. In a checkout, "npm ci" brings one: use "npx weighhouse".`,
  );
  process.exit(1);
}

module.enableCompileCache?.();
const sources = new URL('../src/cli/main.ts', import.meta.url);
const { main } = await import(
  existsSync(sources) ? sources.href : new URL('../dist/cli/main.js', import.meta.url).href
);
process.exitCode = await main(process.argv.slice(2));
