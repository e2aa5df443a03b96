/** `npm run build`: the sources compiled to `dist/`, with what pages are drawn with: what the package ships. */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
});
await import('./browser.ts');
cpSync('src/server/pages/assets', 'dist/server/pages/assets', { recursive: true });
process.exitCode = status ?? 1;
