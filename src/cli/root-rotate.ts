/** `root rotate`, `root add-key`: a new root by whoever has the root keys at hand. */
import { randomBytes } from 'node:crypto';
import { formatDigest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import type { TreeHead } from '../core/log/checkpoint.ts';
import { keyId } from '../core/statement/public-key.ts';
import { type Authority, nextAuthority, nextRoot, type RootChange } from '../core/trust/change.ts';
import { presentLogKey } from '../core/trust/periods.ts';
import { missingSignatures } from '../core/trust/proposal.ts';
import { formatRoot, type RootDocument, rootToSign } from '../core/trust/root.ts';
import type { TrustRoot } from '../core/trust/succession.ts';
import { nodeHost } from '../hashing/host.ts';
import type { StatementSigner } from '../keyring/keys.ts';
import type { Appended } from '../log/item.ts';
import { openStore } from '../open-store.ts';
import { type HeldKeys, openHeldKeys } from '../operator/keys-directory.ts';
import { publishRoot, type RootToPublish } from '../operator/publish-root.ts';
import { readStoredRoot } from '../operator/stored-root.ts';
import type { Store } from '../store/contract.ts';
import type { Context } from './context.ts';
import { serverPassphrase } from './passphrase.ts';
import {
  type ChangeFlags,
  isCompromised,
  type PlaceFlags,
  readChange,
  withServerKeys,
} from './root-change.ts';
import { describeChange } from './root-text.ts';
import { readSigner } from './signer.ts';

interface RotateFlags extends ChangeFlags {
  readonly rootKey?: readonly string[];
  readonly rootPassphraseFile?: string;
}

export async function addRootKeys(
  context: Context,
  flags: RotateFlags,
  pems: readonly string[],
): Promise<void> {
  await rotateRoot(context, { ...flags, addKey: pems });
}

export async function rotateRoot(context: Context, flags: RotateFlags): Promise<void> {
  const asked = await readChange(flags);
  const signers = await readSigners(context, flags);
  const passphrase = await serverPassphrase(context, flags, flags.keys);
  const store = await openStore(flags.store);
  try {
    const { root: before } = await readStoredRoot(nodeHost, store);
    requireSigners(signers, before, nextAuthority(nodeHost, before, asked));
    await requireKeysOf(before, flags, passphrase);
    const change = await withServerKeys(asked, flags, before, passphrase);
    await logRoot(context, store, flags, passphrase, makeRoot(before, change, signers));
  } finally {
    await store.close();
  }
}

/** The root is made and signed inside the commit, for the very place at which it stands. */
function makeRoot(
  before: TrustRoot,
  change: RootChange,
  signers: readonly StatementSigner[],
): PreparedRoot {
  const at = ({ size, root }: TreeHead, now: number) =>
    nextRoot(nodeHost, before, change, { size, root: formatDigest(root), now });
  let document: RootDocument;
  return {
    before,
    compromised: isCompromised(change),
    logKey: change.log ?? presentLogKey(before),
    witnessPolicy:
      change.witnessPolicy === undefined
        ? before.witnessPolicy
        : (change.witnessPolicy ?? undefined),
    async compose(head, now) {
      document = at(head, now);
      return signRoot(document, signers);
    },
    composed: () => document,
  };
}

export interface PreparedRoot extends RootToPublish {
  /** The root that was logged. */
  readonly composed: () => RootDocument;
}

/** Logs the root and says what it changed. */
export async function logRoot(
  { output, clock }: Context,
  store: Store,
  { keys }: Pick<PlaceFlags, 'keys'>,
  passphrase: string | undefined,
  { composed, ...root }: PreparedRoot,
): Promise<void> {
  const held = await requireKeysOf(root.before, { keys }, passphrase);
  const random = () => new Uint8Array(randomBytes(32));
  const publisher = { store, host: nodeHost, held, clock, random };
  const { index, size, published }: Appended = await publishRoot(publisher, root);
  const { version, expires } = composed();
  const changes = describeChange(root.before, composed());
  output.result({ version, index, size, published, expires, changes }, [
    ...changes,
    `logged as entry ${index}; servers that run take it over within seconds`,
  ]);
  if (!published) output.say('it is not public yet: the witness quorum is missing');
}

/** The server's keys, which must open and be of the registry: before new ones are put beside them. */
export async function requireKeysOf(
  { origin }: TrustRoot,
  { keys }: Pick<PlaceFlags, 'keys'>,
  passphrase: string | undefined,
): Promise<HeldKeys> {
  const held = await openHeldKeys(nodeHost, keys, passphrase);
  if (held.origin === origin) return held;
  throw new CodedError('untrusted', `${keys} has the keys of ${held.origin}, not of ${origin}`);
}

async function signRoot(
  document: RootDocument,
  signers: readonly StatementSigner[],
): Promise<Uint8Array> {
  const bytes = rootToSign(nodeHost, document);
  const signatures = signers.map(async (signer) => ({
    keyId: keyId(nodeHost, signer.spki),
    signature: await signer.sign(bytes),
  }));
  return formatRoot(nodeHost, { document, signatures: await Promise.all(signatures) });
}

function readSigners(context: Context, flags: RotateFlags): Promise<StatementSigner[]> {
  const { rootKey = [], rootPassphraseFile } = flags;
  const root =
    rootPassphraseFile === undefined ? flags : { ...flags, passphraseFile: rootPassphraseFile };
  return Promise.all(rootKey.map((file) => readSigner(context, root, file)));
}

/** Before anything is made: are these enough, for the root that is and for the one to be? */
function requireSigners(
  signers: readonly StatementSigner[],
  before: RootDocument,
  next: Authority,
): void {
  const ids = signers.map(({ spki }) => keyId(nodeHost, spki));
  for (const [whose, authority] of [
    ['the present', before],
    ['the new', next],
  ] as const) {
    const missing = missingSignatures(nodeHost, authority, ids);
    if (missing === 0) continue;
    throw new CodedError(
      'untrusted',
      `${missing} more of ${whose} root keys must sign: name each with --root-key, or have them sign apart with "root propose", "root sign" and "root publish"`,
      { threshold: authority.threshold, missing },
    );
  }
}
