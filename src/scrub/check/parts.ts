/** What checks are made of: what they need, what they find, and how small objects are read. */
import { isCoded, messageOf } from '../../core/error.ts';
import type { Host } from '../../core/host.ts';
import type { TrustRoot } from '../../core/trust/succession.ts';
import type { HashingPool } from '../../hashing/pool.ts';
import { MAX_STAGING_BYTES } from '../../log/staging.ts';
import type { Store } from '../../store/contract.ts';
import type { Key } from '../../store/keys.ts';
import type { LogTruth } from '../log-truth.ts';
import type { Pace } from '../pace.ts';

/** What a check needs. */
export interface CheckParts {
  readonly store: Store;
  readonly host: Host;
  readonly hashing: Pick<HashingPool, 'hashFile' | 'hashBytes'>;
  readonly pace: Pace;
  readonly signal: AbortSignal;
  /** The published log; undefined where no checkpoint can be believed. */
  readonly log: LogTruth | undefined;
  /** The newest trust root that can be believed, if any. */
  readonly trust: TrustRoot | undefined;
}

/** What is wrong with an object. */
export interface Problem {
  readonly problem: 'missing' | 'damaged' | 'unreadable';
  /** In words, without the object's name. */
  readonly detail: string;
  /** Of content: which chunks. */
  readonly chunks?: readonly number[] | undefined;
  /** What it should be, where that is known. */
  readonly right?: Uint8Array | undefined;
}

/** The largest small object: a document of a release, or a staged commit. */
const MAX_BYTES = MAX_STAGING_BYTES;

/** The bytes of a small object, or what is wrong with reading it. */
export async function readSmall(
  { store, pace }: Pick<CheckParts, 'store' | 'pace'>,
  key: Key,
): Promise<Uint8Array | Problem> {
  try {
    const stored = await store.get(key, MAX_BYTES);
    await pace.request(stored?.bytes.length);
    return stored?.bytes ?? { problem: 'missing', detail: 'it is not there' };
  } catch (error) {
    const isDamage = isCoded(error, 'storage') && error.details.damaged === true;
    if (isDamage || isCoded(error, 'too-large')) return damaged(messageOf(error));
    throw error;
  }
}

export function damaged(detail: string, right?: Uint8Array): Problem {
  return { problem: 'damaged', detail, right };
}

export function isProblem(found: Uint8Array | Problem): found is Problem {
  return !(found instanceof Uint8Array);
}
