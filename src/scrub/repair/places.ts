/**
 * Where in the log a damaged object is named: what another registry has to be asked for. One
 * walk through all entries finds the places of any number of objects, in memory that is bounded
 * by how many are damaged.
 */
import type { Digest } from '../../core/digest.ts';
import { isCoded } from '../../core/error.ts';
import type { Entry } from '../../core/log/entry.ts';
import { parseReleaseName, type ReleaseName } from '../../core/release/name.ts';
import type { CheckParts } from '../check/parts.ts';
import { statementsOf } from '../follows.ts';
import { readManifest } from '../walk/log.ts';
import type { FilePlace, StatementPlace } from './source.ts';

/** Places of one file that are remembered: its own draft is found by them too. */
const MAX_PLACES = 64;

export interface Wanted {
  readonly statements: ReadonlySet<Digest>;
  readonly contents: ReadonlySet<Digest>;
  readonly chunks: ReadonlySet<Digest>;
}

export interface Places {
  readonly statements: ReadonlyMap<Digest, StatementPlace>;
  /** By the SHA-256 of the content, and by the root of its chunk list. */
  readonly files: ReadonlyMap<Digest, readonly FilePlace[]>;
  /** Releases by namespace that show decisions, which may show reports. */
  readonly revealing: ReadonlyMap<string, readonly ReleaseName[]>;
  /** The decisions.json of every release that has one. */
  readonly decisions: readonly Digest[];
}

export async function findPlaces(
  parts: Pick<CheckParts, 'store' | 'host' | 'pace' | 'log'>,
  wanted: Wanted,
): Promise<Places> {
  const statements = new Map<Digest, StatementPlace>();
  const files = new Map<Digest, FilePlace[]>();
  const revealing = new Map<string, ReleaseName[]>();
  const decisions: Digest[] = [];
  for await (const { entry, index } of entriesOf(parts)) {
    for (const digest of statementsOf(entry)) {
      if (wanted.statements.has(digest)) statements.set(digest, { entry, index });
    }
    if (entry.kind !== 'release') continue;
    const release = parseReleaseName(entry.release);
    if (entry.decisions !== undefined) {
      decisions.push(entry.decisions);
      add(revealing, release.namespace, release);
    }
    const manifest = await readManifest(parts, entry.digest);
    if (manifest === undefined) continue;
    const { tensors } = manifest;
    if (tensors !== undefined && wanted.statements.has(tensors.sha256)) {
      statements.set(tensors.sha256, { inventoryOf: release });
    }
    for (const file of manifest.files) {
      if (wanted.contents.has(file.sha256)) add(files, file.sha256, { release, file });
      if (wanted.chunks.has(file.chunks.root)) add(files, file.chunks.root, { release, file });
    }
  }
  return { statements, files, revealing, decisions };
}

/** All entries that can be read, in order. */
export async function* entriesOf({
  log,
}: Pick<CheckParts, 'log'>): AsyncGenerator<{ entry: Entry; index: number }> {
  if (log === undefined) return;
  for (let index = 0; index < log.head.size; index++) {
    const entry = await log.entry(index).catch((error: unknown) => {
      if (isCoded(error, 'damaged')) return undefined;
      throw error;
    });
    if (entry !== undefined) yield { entry, index };
  }
}

function add<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else if (known.length < MAX_PLACES) known.push(value);
}
