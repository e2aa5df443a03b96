/** What everything else rests on: both checkpoints, the trust roots, the upper tiles of the log. */
import { hashesAt, tileWidth } from '../../core/log/tile.ts';
import { type Key, keys, prefixes } from '../../store/keys.ts';
import type { Walk, WalkParts } from './step.ts';
import { tileFiles } from './tiles.ts';

export async function* walkTrust(parts: WalkParts): Walk {
  const { store, log } = parts;
  yield { key: keys.lock(), due: { by: 'signature' } };
  yield { key: keys.checkpoint(), due: { by: 'signature' } };
  const versions = await rootVersions(store);
  for (let version = 1; version <= Math.max(1, ...versions); version++) {
    yield { key: keys.root(version), due: { by: 'root', version } };
  }
  if (Math.max(1, ...versions) > 1) yield { key: keys.roots(), due: { by: 'log' } };
  if (log === undefined || log.head.size === 0) return;
  // Every log begins with heads: the first commit closes with them.
  yield { key: keys.heads(), due: { by: 'log' } };
  const { size } = log.head;
  for (let level = 1; hashesAt(level, size) > 0; level++) {
    for (let index = 0; tileWidth(level, index, size) > 0; index++) {
      yield* tileFiles(parts, { level, index, width: tileWidth(level, index, size) });
    }
  }
}

async function rootVersions(store: WalkParts['store']): Promise<number[]> {
  const versions: number[] = [];
  for await (const key of store.list(prefixes.roots())) versions.push(versionOf(key));
  return versions.filter(Number.isSafeInteger);
}

function versionOf(key: Key): number {
  return Number(key.slice(prefixes.roots().length));
}
