/**
 * From what a person typed to one release whose documents all fit: freshness first, then the
 * release, then that both are of one log. Nothing is saved before everything was checked; a
 * recall is refused after that, so that it cannot be taken back.
 */

import { utf8 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { parseEntry } from '../core/log/entry.ts';
import { parseTlogProof } from '../core/log/tlog-proof.ts';
import {
  formatModel,
  parseReleaseName,
  type Reference,
  type ReleaseName,
} from '../core/release/name.ts';
import { parseBundle } from '../core/statement/bundle.ts';
import type { TrustRoot } from '../core/trust/succession.ts';
import {
  checkKnown,
  type LoggedAdvisory,
  type VerifiedFreshness,
} from '../core/verify/freshness.ts';
import {
  type ReleaseDocuments,
  type VerifiedRelease,
  verifyRelease,
} from '../core/verify/release.ts';
import { accept } from './accept.ts';
import type { Api } from './api.ts';
import { advisoriesAbout, readFreshness, refuseRecalled } from './freshness.ts';
import type { PinStore } from './pins.ts';
import type { PublicApi } from './public-api.ts';
import { newestRoot, pinOf } from './trust.ts';
import { headOf, openView, type SignedHead } from './view.ts';

/** What it takes to believe a registry. */
export interface Reader<Door extends PublicApi = Api> {
  readonly host: Host;
  readonly api: Door;
  readonly pins: PinStore;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

export interface ResolveOptions {
  readonly acceptRecalled?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface ResolvedRelease {
  readonly verified: VerifiedRelease;
  readonly documents: ReleaseDocuments;
  /** Advisories about it, oldest first. A recall is only here when it was accepted. */
  readonly advisories: readonly LoggedAdvisory[];
  /** True when the registry has a newer release of the same model. */
  readonly superseded: boolean;
  readonly root: TrustRoot;
  /** Every version of root.json, exact bytes, from version 1 on. */
  readonly roots: readonly Uint8Array[];
}

/**
 * Finds and checks the release that `asked` names. Throws `untrusted` for a registry that is
 * not pinned, `stale`, `rolled-back`, `fork`, `recalled`, `not-found`, and what the checks throw.
 */
export async function resolveRelease(
  reader: Reader<PublicApi>,
  asked: Reference,
  { acceptRecalled = false, signal }: ResolveOptions = {},
): Promise<ResolvedRelease> {
  const { host, api, pins, clock } = reader;
  const pin = await pinOf(api, pins, signal);
  const readRoot = (version: number) => api.root(version, { signal });
  const { root, roots } = await newestRoot(host, pins, pin, readRoot, clock());
  const seen = await pins.seen(pin.origin);
  const look = () =>
    readFreshness(host, api, root, asked.namespace, { now: clock(), seen, signal });
  const readTile = (path: Parameters<PublicApi['tile']>[0]) => api.tile(path, { signal });

  let fresh = await look();
  const first = await openView(host, fresh.heads, seen, readTile);
  const release = await nameRelease(reader, asked, fresh.state, first.tree, signal);
  const documents = await readDocuments(api, release, signal);
  const verified = accept(await verifyRelease(host, root, askedFor(asked, release), documents));
  const shown = [first.newest, ...headsIn(documents)];
  if (!checkKnown(fresh.state, verified).ok) {
    // It may have been published since that look: another one must know it.
    fresh = await look();
    shown.push(...fresh.heads);
  }
  const { newest } = accept(checkKnown(fresh.state, verified));
  const view = await openView(host, shown, seen, readTile);

  const { index, time } = fresh.state;
  await pins.saveSeen(root.origin, { checkpoint: view.newest.note, heads: { index, time } });
  const advisories = advisoriesAbout(fresh.state, verified.release);
  refuseRecalled(advisories, verified.release, acceptRecalled);
  const superseded = newest > verified.index;
  return { verified, documents, advisories, superseded, root, roots };
}

/** What is checked: the newest, once it was found, is asked for like any other version. */
function askedFor(asked: Reference, release: ReleaseName): Reference {
  return asked.at === undefined ? { ...asked, at: { version: release.version } } : asked;
}

/** Which release does `asked` name? The newest is what the log says, not what the server says. */
async function nameRelease(
  { api }: Reader<PublicApi>,
  asked: Reference,
  state: VerifiedFreshness,
  tree: { entry(index: number): Promise<Uint8Array> },
  signal: AbortSignal | undefined,
): Promise<ReleaseName> {
  if (asked.at !== undefined) {
    if ('version' in asked.at) return { ...asked, version: asked.at.version };
    const { reference } = await api.release(asked, asked.at.digest, { signal });
    return parseReleaseName(reference);
  }
  const index = state.head.releases[asked.name];
  if (index === undefined) {
    throw new CodedError('not-found', `${formatModel(asked)} has no published release`);
  }
  const parsed = parseEntry(await tree.entry(index));
  if (!parsed.known || parsed.entry.kind !== 'release') {
    throw new CodedError(
      'untrusted',
      `entry ${index}, the newest of ${formatModel(asked)}, is no release`,
    );
  }
  return parseReleaseName(parsed.entry.release);
}

/** Everything that `verifyRelease` looks at. */
export async function readDocuments(
  api: Pick<PublicApi, 'document'>,
  release: ReleaseName,
  signal: AbortSignal | undefined,
): Promise<ReleaseDocuments> {
  const [entry, manifest, modelSig, releaseDsse, releaseProof, recordProof] = await Promise.all(
    (
      [
        'entry',
        'manifest.json',
        'model.sig',
        'release.dsse',
        'release.tlog-proof',
        'model-sig.tlog-proof',
      ] as const
    ).map((name) => api.document(release, name, { signal })),
  );
  return {
    entry: entry!,
    manifest: manifest!,
    modelSig: modelSig!,
    releaseDsse: releaseDsse!,
    releaseProof: releaseProof!,
    recordProof: recordProof!,
  };
}

/** The checkpoints in a release's documents, which `verifyRelease` has opened. */
export function headsIn(documents: ReleaseDocuments): SignedHead[] {
  return [
    parseTlogProof(documents.releaseProof).checkpoint,
    parseTlogProof(documents.recordProof).checkpoint,
    utf8(parseBundle(documents.modelSig).proof.checkpoint),
  ].map(headOf);
}
