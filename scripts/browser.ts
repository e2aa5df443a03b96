/**
 * `dist/browser`: the scripts of the pages, as browsers load them. `npm ci` makes them (`prepare`),
 * and so does `npm run build`.
 *
 *     release.js   the check of a release, and all that shows it
 *     files.js     comparing and downloading files; loaded once a manifest is known to be good
 *     worker.js    hashes pieces of files
 */
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

const OUT = 'dist/browser';

rmSync(OUT, { recursive: true, force: true });
await build({
  entryPoints: ['src/browser/release.ts', 'src/browser/files.ts', 'src/browser/worker.ts'],
  outdir: OUT,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2024',
  charset: 'utf8',
  legalComments: 'none',
  // Loaded when it is needed; it stands beside.
  external: ['./files.js'],
  // The same library, and half the size: a page checks a dozen signatures.
  alias: { tweetnacl: 'tweetnacl/nacl.js' },
  logLevel: 'warning',
});
