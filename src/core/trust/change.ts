/**
 * The next version of a trust root, made from the one before it and from what is to change.
 * Every period that a change ends, ends at a place of the log: where it has grown to when the
 * new version is logged, or a later one that was agreed on; only a key that was stolen ends
 * before that.
 */
import { equal } from '../bytes.ts';
import type { Digest } from '../digest.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import type { VerifierKey } from '../note/key.ts';
import { keyId, type Spki } from '../statement/public-key.ts';
import type { LogPeriod, ReleasePeriod, RootDocument, TokenKey } from './root.ts';

/** How long a version is good unless told otherwise: a year, in milliseconds. */
export const ROOT_LIFETIME = 365 * 24 * 3600 * 1000;

/** What the next version changes; what is left out stays as it is. */
export interface RootChange {
  /** Milliseconds that the new version is good. */
  readonly lifetime?: number;
  readonly addKeys?: readonly Spki[];
  /** IDs of root keys that are root keys no more. */
  readonly removeKeys?: readonly string[];
  readonly threshold?: number;
  readonly release?: ReleaseChange;
  readonly token?: TokenChange;
  /** The key that signs the log from now on. */
  readonly log?: VerifierKey;
  /** C2SP tlog-policy without `log` lines; null for no witnesses. */
  readonly witnessPolicy?: string | null;
  /** Seconds. */
  readonly maxAge?: number;
}

/** A new release key in the place of all present ones. */
export interface ReleaseChange {
  readonly spki: Spki;
  /** The first entry that it signs; without it, the next one. */
  readonly at?: number;
  /** The first entry at which the present keys are believed no more, though they signed it. */
  readonly compromisedFrom?: number;
}

export interface TokenChange {
  readonly add?: TokenKey;
  /** Tokens of all other keys are refused from now on. */
  readonly dropOthers?: boolean;
}

/** Where the log is when the new version is made, and the time in milliseconds since 1970. */
export interface Place {
  readonly size: number;
  readonly root: Digest;
  readonly now: number;
}

/** Who signs a root, and how many of them must. */
export type Authority = Pick<RootDocument, 'keys' | 'threshold'>;

/** The version after `before`. Throws `usage` for a change that cannot be made. */
export function nextRoot(
  host: Host,
  before: RootDocument,
  change: RootChange,
  place: Place,
): RootDocument {
  const { witnessPolicy: policyBefore, ...rest } = before;
  const witnessPolicy = change.witnessPolicy === undefined ? policyBefore : change.witnessPolicy;
  return {
    ...rest,
    ...nextAuthority(host, before, change),
    version: before.version + 1,
    issued: new Date(place.now).toISOString(),
    expires: new Date(place.now + (change.lifetime ?? ROOT_LIFETIME)).toISOString(),
    log: change.log === undefined ? before.log : nextLog(before.log, change.log, place),
    release:
      change.release === undefined
        ? before.release
        : nextReleases(before.release, change.release, place),
    token: change.token === undefined ? before.token : nextTokens(before.token, change.token),
    maxAge: change.maxAge ?? before.maxAge,
    ...(witnessPolicy === undefined || witnessPolicy === null ? {} : { witnessPolicy }),
  };
}

/** The root's own keys after the change. Throws `usage`. */
export function nextAuthority(host: Host, before: Authority, change: RootChange): Authority {
  const { addKeys = [], removeKeys = [] } = change;
  const known = new Set(before.keys.map((spki) => keyId(host, spki)));
  for (const id of removeKeys) {
    if (!known.has(id)) throw new CodedError('usage', `the trust root has no root key ${id}`);
  }
  const kept = before.keys.filter((spki) => !removeKeys.includes(keyId(host, spki)));
  for (const spki of addKeys) {
    if (!kept.some((key) => equal(key, spki))) continue;
    throw new CodedError('usage', `${keyId(host, spki)} is a root key already`);
  }
  const keys = [...kept, ...addKeys];
  const threshold = change.threshold ?? before.threshold;
  if (threshold >= 1 && threshold <= keys.length) return { keys, threshold };
  throw new CodedError(
    'usage',
    `a threshold of ${threshold} does not fit ${keys.length} root keys; give another with --threshold`,
  );
}

function nextLog(periods: readonly LogPeriod[], key: VerifierKey, place: Place): LogPeriod[] {
  const { size, root } = place;
  const present = periods.at(-1)!;
  if (size > present.from) {
    return [...periods.slice(0, -1), { ...present, end: { size, root } }, { key, from: size }];
  }
  throw new CodedError(
    'usage',
    'the present log key has signed no entry yet: there is none to end',
  );
}

function nextReleases(
  periods: readonly ReleasePeriod[],
  { spki, at, compromisedFrom }: ReleaseChange,
  { size }: Place,
): ReleasePeriod[] {
  const from = at ?? size;
  const end = compromisedFrom ?? from;
  if (from < size) {
    throw new CodedError('usage', `the log has ${size} entries: a key cannot begin at ${from}`);
  }
  if (end > from) {
    throw new CodedError('usage', `entry ${end} is still to come: nothing was signed there`);
  }
  const ended = periods.map((period) => endPeriod(period, end));
  return [...ended, { spki, from }];
}

/** A period that has ended before stays as it was; one that begins later never begins. */
function endPeriod(period: ReleasePeriod, end: number): ReleasePeriod {
  if (period.to !== undefined && period.to <= end) return period;
  return { ...period, to: Math.max(period.from, end) };
}

function nextTokens(keys: readonly TokenKey[], { add, dropOthers }: TokenChange): TokenKey[] {
  const kept = dropOthers !== true ? keys : add === undefined ? keys.slice(-1) : [];
  return [...kept, ...(add === undefined ? [] : [add])];
}
