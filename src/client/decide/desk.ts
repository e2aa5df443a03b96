/** What signers need of a registry: a small door, so that the flow can be tried without one. */
import type { Digest } from '../../core/digest.ts';
import type { Host } from '../../core/host.ts';
import type { Origin } from '../../core/log/checkpoint.ts';
import type { Commitment } from '../../core/release/commitment.ts';
import type { ReleaseName } from '../../core/release/name.ts';
import type { Passkey } from '../../core/statement/passkey.ts';
import type { Spki } from '../../core/statement/public-key.ts';
import type { Signature, SigningKey } from '../../core/statement/signature.ts';
import type { ReceiptStore } from '../receipts.ts';

/** A decision that the registry shows to the members of its namespace. Nothing in it is checked. */
export interface ShownDecision {
  readonly index: number;
  readonly label: string;
  /** Canonical bytes of the DSSE envelope. */
  readonly envelope: Uint8Array;
}

/** What is sealed, and what was decided about it. */
export interface ShownDraft {
  /** D. */
  readonly digest: Digest;
  readonly revision: number;
  readonly decisions: readonly ShownDecision[];
  /** Commitments whose decision the registry does not have. */
  readonly unopened: readonly { readonly index: number; readonly label: string }[];
  /** Labels of commitments that no longer count; `index` is that of the void. */
  readonly voids: readonly { readonly index: number; readonly label: string }[];
}

/** The log as of one checkpoint that was checked; what is read belongs to it. */
export interface ShownLog {
  readonly size: number;
  readonly root: Uint8Array;
  /** The signed checkpoint, verbatim. */
  readonly note: Uint8Array;
  entry(index: number): Promise<Uint8Array>;
  proveInclusion(index: number): Promise<readonly Uint8Array[]>;
}

export interface Desk {
  readonly origin: Origin;
  /** Throws `conflict` when nothing is sealed. */
  draft(release: ReleaseName): Promise<ShownDraft>;
  /** The manifest that is sealed, as the registry shows it. */
  manifest(release: ReleaseName): Promise<Uint8Array>;
  /** The newest log that the pinned registry shows. */
  log(): Promise<ShownLog>;
  /** Has a commitment logged; gives the index. Throws `conflict` when the label has another. */
  commit(commitment: Commitment): Promise<number>;
  /** Opens a commitment to the registry. */
  record(
    release: ReleaseName,
    opening: { readonly index: number; readonly salt: string; readonly envelope: Uint8Array },
  ): Promise<{ readonly index: number; readonly digest: Digest }>;
}

/** Signs statements. */
export interface Signer {
  readonly spki: Spki;
  /** What binds the key, where it is a passkey. */
  readonly passkey?: Passkey;
  /** Of the key's own form. */
  sign(data: Uint8Array): Promise<Signature>;
}

/** What the signer's signatures are checked with. */
export function signingKey({ spki, passkey }: Signer): SigningKey {
  return passkey ?? spki;
}

/** All that deciding takes, besides the person. */
export interface Means {
  readonly host: Host;
  readonly desk: Desk;
  readonly receipts: ReceiptStore;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** 32 random bytes in hex. */
  readonly random: () => string;
  readonly pause: (ms: number) => Promise<void>;
}
