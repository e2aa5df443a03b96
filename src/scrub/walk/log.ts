/**
 * A run of the log: its tiles and bundles, and of every entry what it makes true and what it
 * names, down to where the bytes of a release's files lie. So the log is the index of all that
 * must be there, and no list of releases has to be kept or believed.
 */

import type { Digest } from '../../core/digest.ts';
import { isCoded } from '../../core/error.ts';
import { type Entry, parseEntry } from '../../core/log/entry.ts';
import { TILE_WIDTH, tileWidth } from '../../core/log/tile.ts';
import { parseDecisions } from '../../core/release/decisions.ts';
import { type Manifest, parseManifest } from '../../core/release/manifest.ts';
import { parseNamespace, parseReleaseName } from '../../core/release/name.ts';
import { parseDecision } from '../../core/statement/decision.ts';
import { keys } from '../../store/keys.ts';
import { documentsOf, statementsOf } from '../follows.ts';
import { walkArtifacts } from './artifacts.ts';
import { readStatement, statement } from './statement.ts';
import type { Walk, WalkParts } from './step.ts';
import { tileFiles } from './tiles.ts';

/** Bundles `from` up to, not including, `to`. */
export async function* walkLog(parts: WalkParts, from: number, to: number): Walk {
  const { log } = parts;
  if (log === undefined) return;
  for (let bundle = from; bundle < to; bundle++) {
    const width = tileWidth('entries', bundle, log.head.size);
    if (width === 0) return;
    yield* tileFiles(parts, { level: 'entries', index: bundle, width });
    yield* tileFiles(parts, { level: 0, index: bundle, width });
    for (const [slot, bytes] of (await readable(parts, bundle)).entries()) {
      const parsed = parseEntry(bytes);
      if (parsed.known) yield* walkEntry(parts, parsed.entry, bundle * TILE_WIDTH + slot);
    }
    yield { after: String(bundle + 1) };
  }
}

/** None, where the bundle is lost: it is named, and what it holds is looked at after its repair. */
async function readable({ log }: WalkParts, bundle: number): Promise<readonly Uint8Array[]> {
  try {
    return await log!.entries(bundle);
  } catch (error) {
    if (isCoded(error, 'damaged')) return [];
    throw error;
  }
}

async function* walkEntry(parts: WalkParts, entry: Entry, index: number): Walk {
  for (const { key } of documentsOf(entry, index)) yield { key, due: { by: 'entry', index } };
  for (const digest of statementsOf(entry)) yield statement(digest);
  switch (entry.kind) {
    case 'namespace':
      yield { key: keys.namespace(parseNamespace(entry.namespace)), due: { by: 'log' } };
      return;
    case 'root':
      yield { key: keys.root(entry.version), due: { by: 'digest', digest: entry.digest } };
      return;
    case 'commitment':
      yield { key: keys.decision(entry.label), due: { by: 'opening', index }, optional: true };
      return;
    case 'release': {
      const name = parseReleaseName(entry.release);
      yield { key: keys.signature(name), due: { by: 'bundle', index }, optional: true };
      yield* walkArtifacts(parts, name);
      const manifest = await readManifest(parts, entry.digest);
      if (manifest !== undefined) yield* walkManifest(manifest);
      if (entry.decisions !== undefined) {
        const { namespace } = name;
        for (const digest of await revealedReports(parts, entry.decisions)) {
          yield { key: keys.report(namespace, digest), due: { by: 'digest', digest } };
        }
      }
    }
  }
}

/** What a manifest names: the inventory, and of each file its chunk list and the place of its bytes. */
export async function* walkManifest({ tensors, files }: Manifest): Walk {
  if (tensors !== undefined) yield statement(tensors.sha256);
  for (const { size, sha256, chunks } of files) {
    yield { key: keys.chunks(chunks.root), due: { by: 'chunks', root: chunks.root, size } };
    const due = { by: 'binding', sha256, size, chunks: chunks.root } as const;
    yield { key: keys.digest(sha256), due };
  }
}

/** The manifest with that digest; undefined where it is damaged, which is told of it by itself. */
export async function readManifest(
  parts: Pick<WalkParts, 'store' | 'host' | 'pace'>,
  digest: Digest,
): Promise<Manifest | undefined> {
  const bytes = await readStatement(parts, digest);
  return bytes && parseManifest(bytes);
}

/** The reports of evaluations that a decisions.json shows. */
async function revealedReports(parts: WalkParts, digest: Digest): Promise<Digest[]> {
  const bytes = await readStatement(parts, digest);
  if (bytes === undefined) return [];
  return parseDecisions(bytes).decisions.flatMap(({ envelope }) => {
    const said = parseDecision(envelope.payload);
    return said.decision === 'evaluate' && !said.report.private ? [said.report.digest] : [];
  });
}
