/**
 * Which root to believe (TUF specification, section 5.3). Version 1 is believed because
 * somebody pinned its fingerprint; it must be signed by its own keys. Version N + 1 is
 * believed because version N is: it must be exactly the next one, signed by the thresholds
 * of both, and it may add to the history of keys but not rewrite it, so that what an old
 * release was checked with is there for ever.
 *
 * Expiry is not looked at on the way, for a client that was away for a year must be able to
 * catch up: ask `checkUnexpired` about the last one.
 */
import { equal } from '../bytes.ts';
import type { Host } from '../host.ts';
import { sameKey } from '../note/key.ts';
import { keyId, type Spki } from '../statement/public-key.ts';
import { refusal, type Verdict } from '../verdict.ts';
import {
  type LogPeriod,
  parseRoot,
  type ReleasePeriod,
  type RootDocument,
  rootToSign,
  type SignedRoot,
} from './root.ts';

declare const brand: unique symbol;

/** A root that is believed. Made only by this file. */
export type TrustRoot = RootDocument & { readonly [brand]: 'TrustRoot' };

/** How many versions are walked at once; a registry that changes its root daily needs three years for it. */
export const MAX_ROOT_STEPS = 1024;

/**
 * Is this root to be believed, given the one before it? Without `trusted` it must be version
 * 1, whose fingerprint the caller has compared. Throws what `parseRoot` throws.
 */
export async function checkRoot(
  host: Host,
  bytes: Uint8Array,
  trusted?: TrustRoot,
): Promise<Verdict<{ readonly root: TrustRoot }>> {
  const signed = parseRoot(host, bytes);
  const follows = checkFollows(signed.document, trusted);
  if (!follows.ok) return follows;
  const authorities = trusted === undefined ? [signed.document] : [trusted, signed.document];
  const signedBy = await checkSignatures(host, signed, authorities);
  if (!signedBy.ok) return signedBy;
  return { ok: true, root: signed.document as TrustRoot };
}

/**
 * Walks from a root that is believed to the newest. `readRoot` gives the bytes of a version,
 * or undefined when there is none. The caller stores `steps`, in order, before it relies on
 * `root`.
 */
export async function walkRoots(
  host: Host,
  trusted: TrustRoot,
  readRoot: (version: number) => Promise<Uint8Array | undefined>,
): Promise<Verdict<{ readonly root: TrustRoot; readonly steps: readonly Uint8Array[] }>> {
  let root = trusted;
  const steps: Uint8Array[] = [];
  for (;;) {
    const bytes = await readRoot(root.version + 1);
    if (bytes === undefined) return { ok: true, root, steps };
    if (steps.length === MAX_ROOT_STEPS) {
      return refusal('untrusted', `root.json has more than ${MAX_ROOT_STEPS} newer versions`);
    }
    const next = await checkRoot(host, bytes, root);
    if (!next.ok) return next;
    root = next.root;
    steps.push(bytes);
  }
}

/** Has the root expired at `now`, in milliseconds since 1970? */
export function checkUnexpired(root: TrustRoot, now: number): Verdict<object> {
  if (now < Date.parse(root.expires)) return { ok: true };
  return refusal(
    'stale',
    `version ${root.version} of ${root.origin}’s root.json expired on ${root.expires}`,
    { version: root.version, expires: root.expires },
  );
}

function checkFollows(next: RootDocument, trusted: TrustRoot | undefined): Verdict<object> {
  const version = (trusted?.version ?? 0) + 1;
  if (next.version !== version) {
    return refusal(
      'untrusted',
      `root.json is version ${next.version}, where ${version} must follow`,
    );
  }
  if (trusted === undefined) return { ok: true };
  if (next.origin !== trusted.origin) {
    return refusal('untrusted', `root.json is of another registry, not of ${trusted.origin}`);
  }
  if (!keepsLogHistory(trusted.log, next.log) || !keepsReleases(trusted.release, next.release)) {
    return refusal('untrusted', `version ${version} of root.json rewrites the history of keys`);
  }
  return { ok: true };
}

/** A period that has ended stays as it was; the present one may end where it stands. */
function keepsLogHistory(old: readonly LogPeriod[], next: readonly LogPeriod[]): boolean {
  return old.every((period, i) => {
    const kept = next[i];
    if (kept === undefined || !sameKey(kept.key, period.key)) return false;
    const { end } = period;
    return end === undefined || (end.size === kept.end?.size && end.root === kept.end.root);
  });
}

/** No key vanishes. A period may be cut short, for a key that was stolen, and never grows. */
function keepsReleases(old: readonly ReleasePeriod[], next: readonly ReleasePeriod[]): boolean {
  return old.every((period, i) => {
    const kept = next[i];
    if (kept === undefined || !equal(kept.spki, period.spki)) return false;
    return kept.from === period.from && (kept.to ?? Infinity) <= (period.to ?? Infinity);
  });
}

/** Every signature must be good and by a key of an authority; each authority must reach its threshold. */
async function checkSignatures(
  host: Host,
  { document, signatures }: SignedRoot,
  authorities: readonly RootDocument[],
): Promise<Verdict<object>> {
  const keys = new Map<string, Spki>();
  for (const authority of authorities) {
    for (const spki of authority.keys) keys.set(keyId(host, spki), spki);
  }
  const bytes = rootToSign(host, document);
  const signers = new Set<string>();
  for (const { keyId: id, signature } of signatures) {
    const spki = keys.get(id);
    if (spki === undefined || !(await host.verifyP256(spki, bytes, signature))) {
      return refusal('signature-invalid', `root.json: the signature of key ${id} is not good`);
    }
    signers.add(id);
  }
  for (const { version, keys: own, threshold } of authorities) {
    const count = own.filter((spki) => signers.has(keyId(host, spki))).length;
    if (count < threshold) {
      return refusal(
        'untrusted',
        `version ${document.version} of root.json has ${count} of the ${threshold} signatures that version ${version} asks for`,
      );
    }
  }
  return { ok: true };
}
