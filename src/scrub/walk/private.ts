/** Small documents that only the registry reads. Those that nobody names are there or not. */
import { parseDigest } from '../../core/digest.ts';
import type { Due } from '../../registry/documents/damage.ts';
import { type Key, type KeyPrefix, type PrivateFolder, prefixes } from '../../store/keys.ts';
import { KINDS, type Kind, kindOf } from '../kinds.ts';
import type { Walk, WalkParts } from './step.ts';

/** What the log does not name one by one. */
const FOLDERS: readonly PrivateFolder[] = [
  'claims',
  'public',
  'publishers',
  'quotas',
  'reports',
  'roots',
];

export async function* walkPrivate({ store }: WalkParts): Walk {
  const folders: readonly KeyPrefix[] = [
    ...FOLDERS.map((folder) => prefixes.privateFolder(folder)),
    prefixes.intents(),
    prefixes.unlogged(),
    prefixes.revoked(),
    prefixes.exchanged(),
    prefixes.uploads(),
    prefixes.staging(),
    prefixes.damaged(),
    prefixes.scrub(),
  ];
  for (const folder of folders) {
    for await (const key of store.list(folder)) {
      const kind = kindOf(key);
      if (kind === undefined || KINDS[kind].care === 'passing') continue;
      yield { key, due: dueOf(kind, key), optional: true };
    }
  }
}

/** A report is named by its digest; of all others their form is all there is. */
function dueOf(kind: Kind, key: Key): Due {
  if (kind !== 'report') return { by: 'form' };
  return { by: 'digest', digest: parseDigest(`sha256:${key.slice(-64)}`) };
}
