/**
 * What the log held before a release, read as an auditor reads it: the policies of its namespace,
 * what was committed, and earlier releases of the same bytes. Every entry is one of the tree that
 * was signed.
 *
 * That is the whole log up to there, and only a short one is read so. Of a longer one only those
 * entries are read that the registry points at. Then what it points at is checked all the same;
 * that it points at everything takes an audit.
 */
import { Commitments, NO_COMMITMENTS } from '../../core/audit/commitments.ts';
import { Findings } from '../../core/audit/findings.ts';
import { type Due, EMPTY_FOLD, LogFold, type NamedPolicy } from '../../core/audit/fold.ts';
import type { Digest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import { type EntryOf, parseEntry } from '../../core/log/entry.ts';
import { hashInTile, TILE_WIDTH } from '../../core/log/tile.ts';
import type { TileTree } from '../../core/log/tile-tree.ts';

/** Entries before a release that are all read: 64 bundles, a few megabytes. */
export const MAX_ENTRIES_READ = 64 * TILE_WIDTH;
/** Bundles that are read at a time. */
const BUNDLES_AT_ONCE = 4;

export interface LoggedPolicyEntry {
  readonly index: number;
  readonly entry: EntryOf<'namespace'> | EntryOf<'policy'>;
}

/** What stood in the log before a release. */
export interface History {
  /** Every policy of the namespace before the release, in order. */
  readonly policies: readonly LoggedPolicyEntry[];
  readonly commitments: Pick<Commitments, 'find' | 'isVoid'>;
  /** Digests of earlier releases of the same bytes in the namespace. */
  readonly twins: readonly Digest[];
  /** Every entry before the release was read: nothing was left out. */
  readonly whole: boolean;
}

/** Reads all entries up to the release. Throws what makes the release break a rule of the log. */
export async function readWholeHistory(
  host: Host,
  tree: TileTree,
  { index, namespace }: { readonly index: number; readonly namespace: string },
): Promise<History> {
  const findings = new Findings();
  const fold = new LogFold(host, findings, EMPTY_FOLD, tree.head.root);
  const policies: LoggedPolicyEntry[] = [];
  let release: Extract<Due, { kind: 'release' }> | undefined;
  for await (const { at, entry, leaf } of entriesOf(tree, index + 1)) {
    const due = fold.add(at, entry, leaf);
    const isPolicy = due?.kind === 'namespace' || due?.kind === 'policy';
    if (isPolicy && due.entry.namespace === namespace) policies.push(due);
    if (due?.kind === 'release' && at === index) release = due;
  }
  const broken = findings.violations.find((violation) => violation.index === index);
  if (broken !== undefined) throw new CodedError(broken.code, broken.message);
  if (release === undefined) throw new CodedError('untrusted', `entry ${index} is no release`);
  return { policies, commitments: fold.commitments, twins: release.twins, whole: true };
}

/** Reads only the policies and commitments at these places. */
export async function readPointedAt(
  tree: TileTree,
  { index, namespace }: { readonly index: number; readonly namespace: string },
  at: { readonly policies: readonly number[]; readonly commitments: readonly number[] },
): Promise<History> {
  const commitments = new Commitments(NO_COMMITMENTS, tree.head.root);
  for (const place of before(at.commitments, index)) {
    const parsed = parseEntry(await tree.entry(place));
    if (!parsed.known || parsed.entry.kind !== 'commitment') continue;
    const { label, commit, time } = parsed.entry;
    commitments.add({ label, commit, index: place, time });
  }
  const policies: LoggedPolicyEntry[] = [];
  for (const place of before(at.policies, index)) {
    const parsed = parseEntry(await tree.entry(place));
    const entry = parsed.known ? parsed.entry : undefined;
    const isPolicy = entry?.kind === 'namespace' || entry?.kind === 'policy';
    if (!isPolicy || entry.namespace !== namespace) {
      throw new CodedError('untrusted', `entry ${place} of the log is no policy of ${namespace}`);
    }
    policies.push({ index: place, entry });
  }
  return { policies, commitments, twins: [], whole: false };
}

/** As the auditor's rules name it. */
export function namedPolicy({ index, entry }: LoggedPolicyEntry): NamedPolicy {
  return { index, time: entry.time, digest: entry.policy };
}

function before(places: readonly number[], index: number): number[] {
  return places.filter((place) => place < index).toSorted((a, b) => a - b);
}

/** The first `size` entries of the tree with their leaf hashes, read a few bundles ahead. */
async function* entriesOf(tree: TileTree, size: number) {
  const last = Math.ceil(size / TILE_WIDTH);
  for (let first = 0; first < last; first += BUNDLES_AT_ONCE) {
    const width = Math.min(BUNDLES_AT_ONCE, last - first);
    const bundles = Array.from({ length: width }, async (_, i) => {
      const bundle = first + i;
      const [entries, leaves] = await Promise.all([tree.bundle(bundle), tree.hashes(0, bundle)]);
      return { bundle, entries, leaves };
    });
    for (const { bundle, entries, leaves } of await Promise.all(bundles)) {
      for (const [slot, entry] of entries.entries()) {
        const at = bundle * TILE_WIDTH + slot;
        if (at < size) yield { at, entry, leaf: hashInTile(leaves, slot) };
      }
    }
  }
}
