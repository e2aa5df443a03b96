/**
 * `root propose`, `root sign`, `root publish`: a new root by people who each hold one key. The
 * place in the log at which its changes take effect is fixed when it is proposed; if the log
 * goes on in a way that matters before it is published, it is refused and proposed again.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { equal } from '../core/bytes.ts';
import { formatDigest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { keyId } from '../core/statement/public-key.ts';
import { nextRoot } from '../core/trust/change.ts';
import { presentLogKey } from '../core/trust/periods.ts';
import {
  addSignature,
  formatProposal,
  mergeProposals,
  missingSignatures,
  parseProposal,
  type RootProposal,
  rootOfProposal,
} from '../core/trust/proposal.ts';
import { parseRoot, rootToSign } from '../core/trust/root.ts';
import { nodeHost } from '../hashing/host.ts';
import { openLogReader } from '../log/reader.ts';
import { openStore } from '../open-store.ts';
import { readStoredRoot } from '../operator/stored-root.ts';
import type { Context } from './context.ts';
import { type PassphraseFlags, serverPassphrase } from './passphrase.ts';
import {
  type ChangeFlags,
  isCompromised,
  type PlaceFlags,
  readChange,
  withServerKeys,
} from './root-change.ts';
import { logRoot, requireKeysOf } from './root-rotate.ts';
import { describeChange } from './root-text.ts';
import { readSigner } from './signer.ts';

interface ProposeFlags extends ChangeFlags {
  readonly out: string;
}

export async function proposeRoot(context: Context, flags: ProposeFlags): Promise<void> {
  const { output, clock } = context;
  const asked = await readChange(flags);
  const passphrase = await serverPassphrase(context, flags, flags.keys);
  const store = await openStore(flags.store);
  try {
    const { root: before, bytes } = await readStoredRoot(nodeHost, store);
    await requireKeysOf(before, flags, passphrase);
    const change = await withServerKeys(asked, flags, before, passphrase);
    const { size, root } = await openLogReader(store, nodeHost).published();
    const place = { size, root: formatDigest(root), now: clock() };
    const document = nextRoot(nodeHost, before, change, place);
    const compromised = isCompromised(change);
    await write(flags.out, { before: bytes, document, compromised, signatures: [] }, 'wx');
    const changes = describeChange(before, document);
    output.result({ file: flags.out, version: document.version, changes }, changes);
    if (flags.newLogKey === true) {
      output.warn('a log key ends where the log is now: stop every server until this is published');
    }
    output.say(
      `next, each holder of a root key: weighhouse root sign ${flags.out} --root-key FILE`,
    );
  } finally {
    await store.close();
  }
}

export async function signProposal(
  context: Context,
  flags: PassphraseFlags & { readonly rootKey: string },
  file: string,
): Promise<void> {
  const proposal = await read(file);
  const { document } = proposal;
  const before = parseRoot(nodeHost, proposal.before).document;
  const changes = describeChange(before, document);
  for (const line of changes) context.output.say(line);
  const signer = await readSigner(context, flags, flags.rootKey);
  if (![...before.keys, ...document.keys].some((spki) => equal(spki, signer.spki))) {
    throw new CodedError('untrusted', `${flags.rootKey} is a root key neither before nor after`);
  }
  const id = keyId(nodeHost, signer.spki);
  const signature = await signer.sign(rootToSign(nodeHost, document));
  const signed = addSignature(proposal, { keyId: id, signature });
  await write(file, signed, 'w');
  const missing = missingOf(signed);
  context.output.result({ file, version: document.version, signer: id, missing, changes }, [
    `signed version ${document.version} with ${id}`,
    missing === 0 ? 'enough keys have signed it' : `at least ${missing} more must sign it`,
  ]);
}

export async function publishProposal(
  context: Context,
  flags: PlaceFlags,
  files: readonly string[],
): Promise<void> {
  const proposal = mergeProposals(nodeHost, await Promise.all(files.map(read)));
  const bytes = rootOfProposal(nodeHost, proposal);
  const { document, compromised } = proposal;
  const passphrase = await serverPassphrase(context, flags, flags.keys);
  const store = await openStore(flags.store);
  try {
    const { root: before, bytes: newest } = await readStoredRoot(nodeHost, store);
    if (!equal(newest, proposal.before)) {
      throw new CodedError(
        'conflict',
        `the trust root is another than when this was proposed: it has version ${before.version} now; propose it again`,
      );
    }
    await logRoot(context, store, flags, passphrase, {
      before,
      compromised,
      logKey: presentLogKey(document),
      witnessPolicy: document.witnessPolicy,
      compose: async () => bytes,
      composed: () => document,
    });
  } finally {
    await store.close();
  }
}

/** How many holders must sign yet, at the least. */
function missingOf({ before, document, signatures }: RootProposal): number {
  const signers = signatures.map(({ keyId: id }) => id);
  const authorities = [parseRoot(nodeHost, before).document, document];
  return Math.max(...authorities.map((each) => missingSignatures(nodeHost, each, signers)));
}

async function read(path: string): Promise<RootProposal> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('not-found', `the proposal ${path} cannot be read (${error.code})`);
  });
  return parseProposal(nodeHost, new Uint8Array(bytes), path);
}

/** Wholly or not at all; `wx` writes no proposal over another file. */
async function write(path: string, proposal: RootProposal, flag: 'w' | 'wx'): Promise<void> {
  const bytes = formatProposal(nodeHost, proposal);
  const temporary = flag === 'w' ? `${path}.${process.pid}.new` : path;
  const file = await open(temporary, flag).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new CodedError('conflict', `${path} exists already; a proposal is written to a new file`);
  });
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  if (temporary !== path) await rename(temporary, path);
}
