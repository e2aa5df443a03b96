/** `dist/browser`, which `npm ci` makes (`prepare`), and so does `npm run build`. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { bundle } from './bundle.ts';

const OUT = 'dist/browser';

const scripts = await bundle();
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
for (const { path, contents } of scripts) writeFileSync(path, contents);
