/** `node hash-directory.ts DIR`: hashes the chunks of every file in DIR, as a process of its own. */
import { readdirSync, statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

const CHUNK_SIZE = 8 * 1024 * 1024;

// As `bin/weighhouse.js` does, before anything else is loaded.
enableCompileCache();
const { HashingPool } = await import('../../src/hashing/pool.ts');

const pool = new HashingPool();
pool.warm();
const directory = process.argv[2]!;
const files = readdirSync(directory).map((name) => join(directory, name));
const plan = (file: string) => ({ size: statSync(file).size, chunkSize: CHUNK_SIZE });
await Promise.all(files.map((file) => pool.hashFile(file, plan(file))));
