/**
 * What all commands that decide have in common. With a key on this machine the decision is
 * signed and recorded. With `--unsigned FILE --public-key PEM` it is written to a file for a key
 * that lies elsewhere: `decide --sign-offline FILE` there, `decide --submit FILE` back here.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { DraftStatus } from '../client/answers.ts';
import { decide, draftDecision, type Said, type Wish } from '../client/decide/decide.ts';
import { formatCarried } from '../client/decide/unsigned.ts';
import { decisionIn, nameOf, type Receipt } from '../client/receipts.ts';
import { parseUtf8 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { formatReleaseName, parseReleaseName, type ReleaseName } from '../core/release/name.ts';
import type { Decision } from '../core/statement/decision.ts';
import { parsePem, type Spki } from '../core/statement/public-key.ts';
import { nodeHost } from '../hashing/host.ts';
import { keyFlag, passphraseFlag, tokenFlag, urlFlag } from './command.ts';
import { askConsent, namedDigest } from './consent.ts';
import type { Context } from './context.ts';
import { type OpenMeans, openMeans } from './means.ts';
import type { PassphraseFlags } from './passphrase.ts';
import { openSigner } from './signer.ts';
import { formatFields } from './table.ts';
import { parseDuration } from './units.ts';

/** Flags of every command that decides. */
export interface DecideFlags extends PassphraseFlags {
  readonly digest?: string;
  readonly expires: string;
  readonly unsigned?: string;
  readonly publicKey?: string;
}

/** `release`'s argument of a command that decides. */
export const RELEASE_ARGUMENT = ['<ref>', 'namespace/name@version'] as const;

/** Adds what every command that decides takes: the release, and the flags. */
export function takingDecision(command: Command): Command {
  return command
    .argument(...RELEASE_ARGUMENT)
    .option('--digest <digest>', 'digest of what is sealed; needed when nobody can be asked')
    .addOption(new Option('--expires <duration>', 'how long it is good').default('90d'))
    .option('--unsigned <file>', 'write it to a file for "decide --sign-offline" instead')
    .option(
      '--public-key <pem>',
      'with --unsigned: the key that will sign, as "key show" prints it',
    )
    .addOption(keyFlag())
    .addOption(passphraseFlag())
    .addOption(urlFlag())
    .addOption(tokenFlag());
}

/** Makes what is said out of the release and the key that signs, once the registry is open. */
export type MakeSaid = (means: OpenMeans, release: ReleaseName, spki: Spki) => Promise<Said> | Said;

/** Decides, and answers. Undefined when it was only written for another machine to sign. */
export async function runDecision(
  context: Context,
  flags: DecideFlags,
  reference: string,
  makeSaid: MakeSaid,
): Promise<Receipt | undefined> {
  const release = parseReleaseName(reference);
  const named = namedDigest(context, flags.digest);
  const lasts = parseDuration(flags.expires, '--expires');
  if (flags.unsigned !== undefined) {
    const spki = await readPublicKey(flags.publicKey);
    const means = await openMeans(context);
    await refusePublished(context, means, release);
    const wish = { release, said: await makeSaid(means, release, spki), named, lasts };
    await writeUnsigned(context, means, spki, wish, flags.unsigned);
    return undefined;
  }
  const signer = await openSigner(context, flags);
  const means = await openMeans(context);
  await refusePublished(context, means, release);
  const wish = { release, said: await makeSaid(means, release, signer.spki), named, lasts };
  const receipt = await decide(means, signer, wish, (draft) => askConsent(context, draft, named));
  await answerRecorded(context, means, receipt);
  return receipt;
}

/** A decision about what is published counts for nothing, and its commitment would stay unopened. */
async function refusePublished(
  { signal }: Context,
  { reader }: OpenMeans,
  release: ReleaseName,
): Promise<void> {
  const { state, index } = await reader.api.draftStatus(release, { signal });
  if (state !== 'published') return;
  throw new CodedError(
    'already-published',
    `${formatReleaseName(release)} is published, by entry ${index}: nothing more is decided about it; what is found since is said with "weighhouse advise"`,
    { index },
  );
}

/** Says that a decision is recorded, where, and what comes next. */
export async function answerRecorded(
  { output, signal }: Context,
  { reader }: OpenMeans,
  receipt: Receipt,
): Promise<void> {
  const { context, decision, digest } = decisionIn(receipt);
  const envelope = nameOf(nodeHost, receipt);
  const { release: reference, revision, n } = context;
  const { index, label } = receipt;
  const isWithdrawal = decision === 'withdraw';
  const { state } = isWithdrawal
    ? await reader.api.draftStatus(parseReleaseName(reference), { signal })
    : { state: undefined };
  output.result(
    {
      ...{ reference, digest, revision, decision, envelope, index, n, label, recorded: true },
      ...(state !== undefined && { state }),
    },
    [
      `recorded: ${decision} of ${reference}`,
      ...formatFields([
        ['digest', digest],
        ['decision', envelope],
        ['log index', String(index)],
      ]),
      state === undefined
        ? `"weighhouse status ${reference}" shows what is still missing`
        : describeGivenUp(reference, state),
    ],
  );
}

/** What became of a draft by a withdrawal that is recorded. */
function describeGivenUp(reference: string, state: DraftStatus['state']): string {
  switch (state) {
    case 'withdrawn':
      return `${reference} is withdrawn for good: it can be pushed again as another version`;
    case 'sealed':
      return `${reference} is still sealed: whose key it is may not withdraw it, or not these bytes`;
    default:
      return `${reference} is ${state} by now: what was withdrawn is not what it is any more`;
  }
}

/** Where there is a network again, what to type about a file that was signed without one. */
export function submitCommand({ decision, digest, context }: Decision, file: string): string {
  return decision === 'publish'
    ? `weighhouse publish ${context.release} --digest ${digest} --submit ${file}`
    : `weighhouse decide --submit ${file}`;
}

/** Writes what a key that lies elsewhere is to sign. */
export async function writeUnsigned(
  { output }: Context,
  means: OpenMeans,
  spki: Spki,
  wish: Wish,
  file: string,
): Promise<void> {
  const draft = await draftDecision(means, spki, wish);
  await writeFile(file, formatCarried({ spki, draft }), { mode: 0o600, flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      throw new CodedError('storage', `${file} cannot be written (${error.code})`);
    },
  );
  const { decision, digest, context } = draft.decision;
  output.result({ reference: context.release, digest, decision, file, recorded: false }, [
    `wrote ${file}; nothing is signed yet. Where the key is: weighhouse decide --sign-offline ${file} --key …`,
    `then back here: ${submitCommand(draft.decision, file)}`,
  ]);
}

/** The key that `--public-key` names. Throws `usage` without one. */
export async function readPublicKey(file: string | undefined) {
  if (file === undefined) {
    throw new CodedError(
      'usage',
      '--unsigned takes --public-key PEM too: number and label of a decision depend on the key ("weighhouse key show" prints it)',
    );
  }
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('not-found', `the key ${file} cannot be read (${error.code})`);
  });
  return parsePem(parseUtf8(new Uint8Array(bytes), file), file);
}
