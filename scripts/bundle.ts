/**
 * The scripts of the pages, as browsers load them:
 *
 *     release.js   the check of a release, and all that shows it
 *     files.js     comparing and downloading files; loaded once a manifest is known to be good
 *     worker.js    hashes pieces of files
 *     draft.js     deciding about a draft
 */
import { build, type OutputFile } from 'esbuild';

/** Bundles them; where they are written is for whoever asks to say. */
export async function bundle(): Promise<readonly OutputFile[]> {
  const { outputFiles } = await build({
    entryPoints: ['release', 'files', 'worker', 'draft'].map((name) => `src/browser/${name}.ts`),
    outdir: 'dist/browser',
    write: false,
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
  return outputFiles;
}
