/**
 * Which key was whose when. Every question is asked with a place in the log, never with a
 * time: the order of entries is the one clock that nobody can set back.
 */
import { formatDigest } from '../digest.ts';
import type { Checkpoint } from '../log/checkpoint.ts';
import type { VerifierKey } from '../note/key.ts';
import type { Spki } from '../statement/public-key.ts';
import { refusal, type Verdict } from '../verdict.ts';
import type { ReleasePeriod, RootDocument } from './root.ts';

/**
 * The keys that may have signed a checkpoint of `size`: one, or two where one key has
 * followed upon another at this very size.
 */
export function logKeysAt(root: RootDocument, size: number): readonly VerifierKey[] {
  return root.log
    .filter(({ from, end }) => from <= size && size <= (end?.size ?? Infinity))
    .map(({ key }) => key);
}

/** The key that signs checkpoints now. */
export function presentLogKey(root: RootDocument): VerifierKey {
  return root.log.at(-1)!.key;
}

/** The keys that may sign the release entry or hashedrekord at `index`. */
export function releaseKeysAt(root: RootDocument, index: number): readonly Spki[] {
  return root.release
    .filter(({ from, to }) => from <= index && index < (to ?? Infinity))
    .map(({ spki }) => spki);
}

/** The keys that may not sign at `index`, though they may elsewhere: for saying what is wrong. */
export function otherReleaseKeys(root: RootDocument, index: number): readonly ReleasePeriod[] {
  const present = releaseKeysAt(root, index);
  return root.release.filter(({ spki }) => !present.includes(spki));
}

/** The keys that sign releases now. */
export function presentReleaseKeys(root: RootDocument): readonly Spki[] {
  return root.release.filter(({ to }) => to === undefined).map(({ spki }) => spki);
}

/**
 * Is this tree as large as the present log key found it? A newest checkpoint is; a smaller one
 * is told by a key that ended, and whoever stole that key could tell it anew.
 */
export function checkPresent(root: RootDocument, { size }: Checkpoint): Verdict<object> {
  const { from } = root.log.at(-1)!;
  if (size >= from) return { ok: true };
  return refusal(
    'rolled-back',
    `the newest checkpoint has size ${size}, but the trust root knows the log at size ${from}: it is an old one, or told by a log key that has ended`,
    { size, from },
  );
}

/** Where a key of the log ended, the log must have held what the root says it held. */
export function checkFinalRoot(root: RootDocument, checkpoint: Checkpoint): Verdict<object> {
  const period = root.log.find(({ end }) => end?.size === checkpoint.size);
  const found = formatDigest(checkpoint.root);
  if (period?.end === undefined || period.end.root === found) return { ok: true };
  return refusal('fork', `the log at size ${checkpoint.size} is not the one that root.json names`, {
    size: checkpoint.size,
    expected: period.end.root,
    found,
  });
}
