/**
 * Signs a decision, or the intent to publish, where there is no network, and submits a decision
 * where there is one; an intent is submitted with the publish.
 */
import { readFile } from 'node:fs/promises';
import { signEnvelope } from '../client/decide/decide.ts';
import { finishReceipt } from '../client/decide/finish.ts';
import { type Carried, formatCarried, parseCarried } from '../client/decide/unsigned.ts';
import { newReceipt } from '../client/receipts.ts';
import { equal } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { parseReleaseName } from '../core/release/name.ts';
import { nodeHost } from '../hashing/host.ts';
import { replaceFile } from '../whole-file.ts';
import { askConsent, namedDigest } from './consent.ts';
import type { Context } from './context.ts';
import { answerRecorded, submitCommand } from './deciding.ts';
import { openMeans } from './means.ts';
import type { PassphraseFlags } from './passphrase.ts';
import { openSigner } from './signer.ts';

export interface OfflineFlags extends PassphraseFlags {
  readonly digest?: string;
}

/** Shows what is in the file, asks, and puts the signed envelope into it. */
export async function signOffline(
  context: Context,
  flags: OfflineFlags,
  file: string,
): Promise<undefined> {
  const named = namedDigest(context, flags.digest);
  const carried = await readCarried(file);
  const { decision } = carried.draft;
  if (named !== undefined && named !== decision.digest) {
    throw new CodedError(
      'gate-unmet',
      `${file} is about ${decision.digest}, not about ${named}: nothing was signed`,
      { named, found: decision.digest },
    );
  }
  const signer = await openSigner(context, flags);
  if (!equal(signer.spki, carried.spki)) {
    throw new CodedError('bad-key', `${file} is to be signed with another key than that of --key`);
  }
  await askConsent(context, carried.draft, named);
  const envelope = await signEnvelope(signer, decision);
  await replaceFile(file, formatCarried({ ...carried, envelope }), 0o600);
  const { release } = decision.context;
  context.output.result(
    {
      file,
      reference: release,
      digest: decision.digest,
      decision: decision.decision,
      signed: true,
    },
    [`signed in ${file}; where there is a network: ${submitCommand(decision, file)}`],
  );
}

/** Has the signed decision in the file recorded. Twice is as good as once. */
export async function submitSigned(context: Context, file: string): Promise<undefined> {
  const { spki, draft, envelope } = await readSigned(file);
  if (draft.decision.decision === 'publish') {
    // Committed as a decision it could never be opened, and would stop what it is to publish.
    throw new CodedError(
      'usage',
      `${file} is the intent to publish: ${submitCommand(draft.decision, file)}`,
    );
  }
  const means = await openMeans(context);
  const { digest, context: place } = draft.decision;
  const fresh = newReceipt(nodeHost, spki, envelope, means.random());
  const all = await means.receipts.all(means.desk.origin);
  const there = all.find(({ label }) => label === fresh.label);
  if (there !== undefined && !equal(there.envelope, envelope)) throw taken(file);
  if (there === undefined) {
    const shown = await means.desk.draft(parseReleaseName(place.release));
    if (shown.digest !== digest) {
      throw new CodedError(
        'gate-unmet',
        `${place.release} is sealed as ${shown.digest} by now, and ${file} is about ${digest}: decide again`,
        { sealed: shown.digest, digest },
      );
    }
    if (!(await means.receipts.add(fresh))) throw taken(file);
  }
  const finished = await finishReceipt(means, there ?? fresh);
  if (finished.state !== 'recorded') throw taken(file);
  await answerRecorded(context, means, finished);
}

/** What was signed in the file. Throws `usage` while it is not. */
export async function readSigned(file: string): Promise<Required<Carried>> {
  const { envelope, ...carried } = await readCarried(file);
  if (envelope !== undefined) return { ...carried, envelope };
  throw new CodedError(
    'usage',
    `${file} is not signed yet: weighhouse decide --sign-offline ${file} --key …`,
  );
}

async function readCarried(file: string): Promise<Carried> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('not-found', `${file} cannot be read (${error.code})`);
  });
  return parseCarried(nodeHost, new Uint8Array(bytes), file);
}

function taken(file: string): CodedError {
  return new CodedError(
    'conflict',
    `not recorded: that key has decided something else with the number of ${file} since it was written; write it again with --unsigned`,
  );
}
