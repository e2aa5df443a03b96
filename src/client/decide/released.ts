/** What a release reveals about its decisions, checked against the log. */
import { equal } from '../../core/bytes.ts';
import { digestOf } from '../../core/digest.ts';
import { CodedError, isCoded } from '../../core/error.ts';
import { type EntryOf, parseEntry } from '../../core/log/entry.ts';
import { parseTlogProof } from '../../core/log/tlog-proof.ts';
import { type Decisions, parseDecisions } from '../../core/release/decisions.ts';
import { parseManifest } from '../../core/release/manifest.ts';
import { formatReleaseName, type ReleaseName } from '../../core/release/name.ts';
import type { Reader } from '../release.ts';
import type { Revealed } from './check.ts';
import type { Desk, ShownLog } from './desk.ts';
import { findUnshown, type Unshown } from './unshown.ts';

/**
 * The release, or why the registry shows none; undefined when it is not published. Throws
 * `untrusted`, `digest-mismatch`.
 */
export async function readRevealed(
  reader: Pick<Reader, 'host' | 'api'>,
  desk: Desk,
  log: ShownLog,
  release: ReleaseName,
  signal?: AbortSignal,
): Promise<Revealed | Unshown | undefined> {
  const { api, host } = reader;
  const entry = await api.document(release, 'entry', { signal }).catch((error: unknown) => {
    if (isCoded(error, 'not-found')) return undefined;
    throw error;
  });
  if (entry === undefined) return findUnshown(reader, log, release, signal);
  const [proof, manifest] = await Promise.all([
    api.document(release, 'release.tlog-proof', { signal }),
    api.document(release, 'manifest.json', { signal }),
  ]);
  const { index } = parseTlogProof(proof);
  const said = await releaseAt(log, index, entry, release);
  requireDigest(digestOf(host, manifest) === said.digest, 'manifest', release);
  const { former } = parseManifest(manifest).draft;
  const decisions = await readDecisions(reader, said, release, signal);
  const voids = await readVoids(desk, log, release);
  return { index, digest: said.digest, former, decisions, voids, entry, proof };
}

async function releaseAt(
  log: ShownLog,
  index: number,
  entry: Uint8Array,
  release: ReleaseName,
): Promise<EntryOf<'release'>> {
  const name = formatReleaseName(release);
  const parsed = parseEntry(entry);
  const isLogged = index < log.size && equal(await log.entry(index), entry);
  if (
    isLogged &&
    parsed.known &&
    parsed.entry.kind === 'release' &&
    parsed.entry.release === name
  ) {
    return parsed.entry;
  }
  throw new CodedError('untrusted', `entry ${index} of the log is not the release of ${name}`);
}

async function readDecisions(
  { api, host }: Pick<Reader, 'host' | 'api'>,
  { decisions: digest }: EntryOf<'release'>,
  release: ReleaseName,
  signal: AbortSignal | undefined,
): Promise<Decisions | undefined> {
  if (digest === undefined) return undefined;
  const bytes = await api.document(release, 'decisions.json', { signal });
  requireDigest(digestOf(host, bytes) === digest, 'decisions.json', release);
  return parseDecisions(bytes);
}

/** Labels that the log says no longer count; only members of the namespace are shown where. */
async function readVoids(
  desk: Desk,
  log: ShownLog,
  release: ReleaseName,
): Promise<ReadonlySet<string>> {
  const draft = await desk.draft(release).catch((error: unknown) => {
    if (error instanceof CodedError && error.code !== 'interrupted') return undefined;
    throw error;
  });
  const labels = new Set<string>();
  for (const { label, index } of draft?.voids ?? []) {
    const parsed = index < log.size ? parseEntry(await log.entry(index)) : undefined;
    const isVoid = parsed?.known && parsed.entry.kind === 'void' && parsed.entry.label === label;
    if (isVoid) labels.add(label);
  }
  return labels;
}

function requireDigest(fits: boolean, what: string, release: ReleaseName): void {
  if (fits) return;
  throw new CodedError(
    'digest-mismatch',
    `the ${what} of ${formatReleaseName(release)} is not the one that the log names`,
  );
}
