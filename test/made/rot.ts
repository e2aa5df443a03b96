/** Damage behind every store's back. */
import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '../../src/store/contract.ts';
import type { Key } from '../../src/store/keys.ts';

/** The file that holds the object's bytes in a directory, or the newest generation of a document. */
export function fileOf(store: Store, key: Key): string {
  const path = store.localPath!(key);
  if (statSync(path).isFile()) return path;
  const [incarnation] = readdirSync(path);
  const generations = readdirSync(join(path, incarnation!)).map(Number);
  return join(path, incarnation!, String(Math.max(...generations)));
}

/** Flips one bit of an object, at an offset or anywhere; answers how to undo it. */
export function flipBit(store: Store, key: Key, at?: number): () => void {
  const path = fileOf(store, key);
  const bytes = readFileSync(path);
  const changed = Buffer.from(bytes);
  const offset = at ?? randomBytes(4).readUInt32LE() % bytes.length;
  changed[offset]! ^= 1;
  chmodSync(path, 0o600);
  writeFileSync(path, changed);
  return () => writeFileSync(path, bytes);
}
