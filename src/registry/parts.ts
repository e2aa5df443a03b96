/** What a registry is made of. Whoever starts one (`main.ts`, a test) brings these. */
import type { Host } from '../core/host.ts';
import type { Origin } from '../core/log/checkpoint.ts';
import type { VerifierKey } from '../core/note/key.ts';
import type { Spki } from '../core/statement/public-key.ts';
import type { HashingPool } from '../hashing/pool.ts';
import type { LogReader } from '../log/reader.ts';
import type { Sequencer } from '../log/sequencer.ts';
import type { DirectAccess, Store } from '../store/contract.ts';
import type { Key } from '../store/keys.ts';
import type { Damages } from './damages.ts';
import type { Limits } from './documents/quota.ts';

/** The registry's own signature: ECDSA P-256, in the trust root as a release key. */
export interface ReleaseKey {
  readonly spki: Spki;
  /** ECDSA P-256 with SHA-256 over `bytes`, ASN.1 DER. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/**
 * The registry's keys, as the newest trust root names them. They may change while it runs: a
 * signature is asked for with the place in the log that it is meant for.
 */
export interface RegistryKeys {
  /** The key that signed checkpoints of `size`. */
  logKeyAt(size: number): VerifierKey;
  /** Signs what is logged at `index`. Throws `not-found` when the key lies elsewhere. */
  releaseKeyAt(index: number): ReleaseKey;
  /** Every key that signs, or signed, for the registry; or those that may at `index`. */
  releaseKeys(index?: number): readonly Spki[];
  /** Resolves once every root that the store has by now is in force. */
  renew(): Promise<void>;
}

export interface RegistryParts {
  readonly store: Store;
  readonly host: Host;
  readonly origin: Origin;
  /** Where entries are appended; it must have been opened with `closeWithHeads` (`heads.ts`). */
  readonly log: Pick<Sequencer, 'append' | 'committed'>;
  readonly reader: LogReader;
  readonly keys: RegistryKeys;
  readonly hashing: Pick<HashingPool, 'hashFile' | 'hashBytes'>;
  /** What clients do with the store by themselves; without it, all bytes go through the server. */
  readonly direct?: DirectAccess | undefined;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** At least 16 fresh random bytes. */
  readonly random: () => Uint8Array;
  /** What a namespace may take up that has no quota of its own; undefined for no limit. */
  readonly quota?: Limits | undefined;
  /** What is known to be damaged; one of its own, where nobody else asks. */
  readonly damages?: Damages | undefined;
  /** Told of each publish or seal that was left in the middle and cannot be finished for now. */
  readonly onUnfinished?: ((marker: Key, cause: unknown) => void) | undefined;
}
