/** What a registry is made of. Whoever starts one (`main.ts`, a test) brings these. */
import type { Host } from '../core/host.ts';
import type { Origin } from '../core/log/checkpoint.ts';
import type { VerifierKey } from '../core/note/key.ts';
import type { Spki } from '../core/statement/public-key.ts';
import type { HashingPool } from '../hashing/pool.ts';
import type { LogReader } from '../log/reader.ts';
import type { Sequencer } from '../log/sequencer.ts';
import type { Store } from '../store/contract.ts';
import type { Key } from '../store/keys.ts';

/** The registry's own signature: ECDSA P-256, in the trust root as a release key. */
export interface ReleaseKey {
  readonly spki: Spki;
  /** ECDSA P-256 with SHA-256 over `bytes`, ASN.1 DER. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

export interface RegistryParts {
  readonly store: Store;
  readonly host: Host;
  readonly origin: Origin;
  /** Where entries are appended; it must have been opened with `closeWithHeads` (`heads.ts`). */
  readonly log: Pick<Sequencer, 'append'>;
  readonly reader: LogReader;
  /** The key that signs the log's checkpoints. */
  readonly logKey: VerifierKey;
  readonly releaseKey: ReleaseKey;
  readonly hashing: Pick<HashingPool, 'hashFile' | 'hashBytes'>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** At least 16 fresh random bytes. */
  readonly random: () => Uint8Array;
  /** Told of each publish that was left in the middle and cannot be finished for now. */
  readonly onUnfinished?: ((marker: Key, cause: unknown) => void) | undefined;
}
