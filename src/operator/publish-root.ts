/**
 * Logs a new version of the trust root, from the operator's machine, beside servers that run:
 * they take it over with the commit. A new log key signs this very commit, for it is the first
 * beyond the size at which the old one ends; the old one signs it too, where it is still here,
 * so that whoever has not seen the new root yet can open it.
 */
import { utf8 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import { parseTlogPolicy } from '../core/log/tlog-policy.ts';
import { type SigningKey, sameKey, type VerifierKey } from '../core/note/key.ts';
import { presentLogKey } from '../core/trust/periods.ts';
import type { TrustRoot } from '../core/trust/succession.ts';
import type { Appended } from '../log/item.ts';
import { openSequencer, type Sequencer } from '../log/sequencer.ts';
import { openWitnesses } from '../log/witnesses.ts';
import { closeWithHeads } from '../registry/heads.ts';
import { type NewRoot, rootItem } from '../registry/roots.ts';
import type { Store } from '../store/contract.ts';
import type { HeldKeys } from './keys-directory.ts';

export interface RootToPublish extends Omit<NewRoot, 'host' | 'head'> {
  /** The log key of the new root. */
  readonly logKey: VerifierKey;
  /** The witness policy of the new root. */
  readonly witnessPolicy: string | undefined;
}

export interface RootPublisher {
  readonly store: Store;
  readonly host: Host;
  readonly held: Pick<HeldKeys, 'log'>;
  readonly clock: () => number;
  readonly random: () => Uint8Array;
}

/** Appends the root. Throws `conflict`, `untrusted`, and what the log throws. */
export async function publishRoot(
  publisher: RootPublisher,
  root: RootToPublish,
): Promise<Appended> {
  const sequencer = await openForRoot(publisher, root);
  try {
    const head = () => sequencer.committed();
    return await sequencer.append(rootItem({ ...root, host: publisher.host, head }));
  } finally {
    await sequencer.close();
  }
}

async function openForRoot(
  { store, host, held, clock, random }: RootPublisher,
  { before, logKey, witnessPolicy }: RootToPublish,
): Promise<Sequencer> {
  const signing = signingKeys(held.log, before, logKey);
  const all = [...before.log.map(({ key }) => key), logKey];
  const former = all.filter((key) => !signing.some((other) => sameKey(other, key)));
  return openSequencer({
    store,
    host,
    origin: before.origin,
    keys: signing,
    formerKeys: dropTwins(former),
    clock,
    random,
    closing: closeWithHeads(host),
    period: 0,
    // The one commit of this process is the root's: no other may be signed by its key.
    maxIdle: Number.POSITIVE_INFINITY,
    ...(witnessPolicy !== undefined &&
      openWitnesses({ store, host, policy: parseTlogPolicy(host, utf8(witnessPolicy)) })),
  });
}

/** The new key, and the one before it where it lies here. Throws `not-found` without the new one. */
function signingKeys(
  held: readonly SigningKey[],
  before: TrustRoot,
  logKey: VerifierKey,
): SigningKey[] {
  const find = (wanted: VerifierKey) => held.find((key) => sameKey(key, wanted));
  const present = find(logKey);
  if (present === undefined) {
    throw new CodedError(
      'not-found',
      'the log key of the new root is not among the server’s keys: publish it where it was proposed',
    );
  }
  const old = presentLogKey(before);
  const other = sameKey(old, logKey) ? undefined : find(old);
  return other === undefined ? [present] : [present, other];
}

function dropTwins(keys: readonly VerifierKey[]): VerifierKey[] {
  return keys.filter((key, i) => keys.findIndex((other) => sameKey(other, key)) === i);
}
