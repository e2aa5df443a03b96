/**
 * Is this the newest that the log says about a namespace, so that no advisory was kept back
 * and no old version is shown as the newest? Answered from a heads entry, which commits to
 * the head of every namespace at one time (docs/formats.md, "Log entries").
 *
 * Malformed documents throw; what is well formed and wrong is a refusal.
 */
import { parseHex } from '../bytes.ts';
import type { Host } from '../host.ts';
import type { Checkpoint } from '../log/checkpoint.ts';
import type { EntryOf } from '../log/entry.ts';
import { type Head, headLeaf, parseHead } from '../log/heads.ts';
import { checkInclusion } from '../log/merkle.ts';
import { formatReleaseName, type Namespace, type ReleaseName } from '../release/name.ts';
import type { TrustRoot } from '../trust/succession.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { openLogged } from './logged.ts';

/** The newest state of a namespace, as a server tells it. */
export interface FreshnessDocuments {
  readonly entry: Uint8Array;
  readonly proof: Uint8Array;
  readonly head: Uint8Array;
  /** Place of the head among all, and the path from it to the heads entry's root. */
  readonly position: number;
  readonly path: readonly Uint8Array[];
  readonly advisories: readonly { readonly entry: Uint8Array; readonly proof: Uint8Array }[];
}

/** An advisory that the log holds. */
export interface LoggedAdvisory {
  readonly index: number;
  readonly entry: EntryOf<'advisory'>;
}

export interface VerifiedFreshness {
  /** Index and time of the heads entry. */
  readonly index: number;
  readonly time: string;
  readonly head: Head;
  readonly advisories: readonly LoggedAdvisory[];
  readonly checkpoint: Checkpoint;
}

/** How far the registry's clock may be ahead of ours, in milliseconds. */
export const MAX_CLOCK_SKEW = 5 * 60_000;

/**
 * Is this the newest that the log says about `namespace`? `now` in milliseconds; `seen` is
 * the index of the newest heads entry that was ever believed. Refuses with `stale` a log
 * that has been silent for longer than the trust root allows, and with `rolled-back` one that
 * says less than before.
 */
export function verifyFreshness(
  host: Host,
  root: TrustRoot,
  namespace: Namespace,
  documents: FreshnessDocuments,
  now: number,
  seen = 0,
): Verdict<VerifiedFreshness> {
  const logged = openLogged(host, root, documents.entry, documents.proof, 'heads');
  if (!logged.ok) return logged;
  const { entry, index, checkpoint } = logged;
  const timely = checkAge(root, entry.time, now);
  if (!timely.ok) return timely;
  if (index < seen) {
    return refusal(
      'rolled-back',
      `the registry shows heads entry ${index}, but entry ${seen} was seen before`,
      { index, seen },
    );
  }
  const included = checkInclusion(host, {
    index: documents.position,
    size: entry.namespaces,
    leafHash: headLeaf(host, documents.head),
    root: parseHex(entry.root.slice(7), 32),
    proof: documents.path,
  });
  if (!included.ok) return included;
  const head = parseHead(documents.head);
  if (head.namespace !== namespace) {
    return refusal(
      'untrusted',
      `the registry shows the head of ${head.namespace} for that of ${namespace}`,
    );
  }
  const advised = checkAdvisories(host, root, head, documents.advisories);
  if (!advised.ok) return advised;
  return { ok: true, index, time: entry.time, head, advisories: advised.advisories, checkpoint };
}

/**
 * Do the heads know the release at `index`? Heads from before it say nothing about it, and no
 * advisory on it could show: refuses them with `stale`. `newest` is the index of the newest
 * release of its model.
 */
export function checkKnown(
  { head, time }: VerifiedFreshness,
  { release, index }: { readonly release: ReleaseName; readonly index: number },
): Verdict<{ readonly newest: number }> {
  const newest = head.releases[release.name];
  if (newest !== undefined && newest >= index) return { ok: true, newest };
  return refusal(
    'stale',
    `the registry shows ${formatReleaseName(release)}, entry ${index} of its log, and of ${head.namespace} a state of ${time} that does not know it; ask again shortly`,
    { index, newest, time },
  );
}

function checkAge(root: TrustRoot, time: string, now: number): Verdict<object> {
  const age = now - Date.parse(time);
  if (age > root.maxAge * 1000) {
    return refusal(
      'stale',
      `the newest that ${root.origin} shows is of ${time}, older than the ${root.maxAge} s that its trust root allows: its log is frozen, or this machine’s clock is wrong`,
      { time, maxAge: root.maxAge },
    );
  }
  if (age < -MAX_CLOCK_SKEW) {
    return refusal(
      'stale',
      `${root.origin} shows a time in the future, ${time}: is this machine’s clock right?`,
      { time },
    );
  }
  return { ok: true };
}

function checkAdvisories(
  host: Host,
  root: TrustRoot,
  head: Head,
  documents: FreshnessDocuments['advisories'],
): Verdict<{ readonly advisories: readonly LoggedAdvisory[] }> {
  const advisories: LoggedAdvisory[] = [];
  for (const { entry, proof } of documents) {
    const logged = openLogged(host, root, entry, proof, 'advisory');
    if (!logged.ok) return logged;
    advisories.push({ index: logged.index, entry: logged.entry });
  }
  const shown = advisories.map(({ index }) => index);
  if (
    shown.length !== head.advisories.length ||
    shown.some((index, i) => index !== head.advisories[i])
  ) {
    return refusal('untrusted', `the registry does not show all advisories of ${head.namespace}`, {
      expected: head.advisories,
      found: shown,
    });
  }
  return { ok: true, advisories };
}
