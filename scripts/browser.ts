/**
 * `dist/browser`, which `npm ci` makes (`prepare`), and so does `npm run build`: each script, and
 * beside it the same in Brotli, which takes too long to make while somebody waits.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import { bundle } from './bundle.ts';

const OUT = 'dist/browser';

const scripts = await bundle();
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
for (const { path, contents } of scripts) {
  writeFileSync(path, contents);
  writeFileSync(`${path}.br`, brotliCompressSync(contents));
}
