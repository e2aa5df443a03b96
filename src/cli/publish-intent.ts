/**
 * The release manager's signature under a publish, where the policy is gated: made here, or, for
 * a key that no network reaches, written to a file with `--unsigned`, signed there with `decide
 * --sign-offline`, and brought back with `--submit`.
 */
import type { DraftStatus } from '../client/answers.ts';
import type { Api } from '../client/api.ts';
import { draftDecision, signEnvelope, type Wish } from '../client/decide/decide.ts';
import { readPolicyInForce } from '../client/policy-in-force.ts';
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { formatReleaseName, type ReleaseName } from '../core/release/name.ts';
import { isGated } from '../core/release/requirements.ts';
import { describeToSign } from '../core/statement/decision-text.ts';
import { type Envelope, parseEnvelope } from '../core/statement/dsse.ts';
import type { Context } from './context.ts';
import { readSigned } from './decide-offline.ts';
import { readPublicKey, writeUnsigned } from './deciding.ts';
import { openMeans } from './means.ts';
import type { PassphraseFlags } from './passphrase.ts';
import { openSigner } from './signer.ts';
import { formatFields } from './table.ts';
import { parseDuration } from './units.ts';

/** For how long it is good: longer than any queue, shorter than a change of mind. */
export const INTENT_LASTS = '24h';

export interface IntentFlags extends PassphraseFlags {
  readonly expires: string;
  readonly unsigned?: string;
  readonly publicKey?: string;
  readonly submit?: string;
}

/** What is to be published. */
interface Intended {
  readonly api: Api;
  readonly release: ReleaseName;
  readonly digest: Digest;
  readonly status: DraftStatus;
}

/** Undefined where none is needed. Throws `usage` where one is and nobody gave a key. */
export async function signIntent(
  context: Context,
  flags: IntentFlags,
  intended: Intended,
): Promise<Envelope | undefined> {
  if (flags.submit !== undefined) return readIntent(flags.submit, intended);
  if (!(await isAsked(context, intended))) return undefined;
  const { release, digest } = intended;
  if (context.config.key === undefined) {
    const name = formatReleaseName(release);
    throw new CodedError(
      'usage',
      `the policy of ${release.namespace} asks a release manager to sign this: weighhouse publish ${name} --digest ${digest} --key FILE`,
    );
  }
  const signer = await openSigner(context, flags);
  const means = await openMeans(context);
  const wish = wishOf(intended, flags);
  const draft = await draftDecision(means, signer.spki, wish);
  for (const line of formatFields(describeToSign(draft.decision, draft))) context.output.say(line);
  return parseEnvelope(await signEnvelope(signer, draft.decision));
}

/** Writes the intent to `file` for a key that lies elsewhere. Nothing is published. */
export async function writeIntent(
  context: Context,
  flags: IntentFlags,
  intended: Intended,
  file: string,
): Promise<void> {
  if (!(await isAsked(context, intended))) {
    const { namespace } = intended.release;
    throw new CodedError(
      'usage',
      `there is nothing to sign: the policy of ${namespace} is solo, or nothing is sealed; publish without --unsigned`,
    );
  }
  const spki = await readPublicKey(flags.publicKey);
  const means = await openMeans(context);
  await writeUnsigned(context, means, spki, wishOf(intended, flags), file);
}

/** Does the policy ask a release manager to sign it? */
async function isAsked(context: Context, { api, release, status }: Intended): Promise<boolean> {
  if (status.state !== 'sealed') return false;
  const policy = await readPolicyInForce(api, release, status, context.signal);
  return policy !== undefined && isGated(policy.gate);
}

function wishOf({ release, digest }: Intended, { expires }: IntentFlags): Wish {
  const lasts = parseDuration(expires, '--expires');
  return { release, said: { decision: 'publish' }, named: digest, lasts };
}

/** The intent that was signed in the file. Throws `gate-unmet` for one of something else. */
async function readIntent(file: string, { release, digest }: Intended): Promise<Envelope> {
  const { draft, envelope } = await readSigned(file);
  const { decision, digest: signed, context } = draft.decision;
  const name = formatReleaseName(release);
  if (decision === 'publish' && context.release === name && signed === digest) {
    return parseEnvelope(envelope);
  }
  throw new CodedError(
    'gate-unmet',
    `${file} says ${decision} of ${context.release} as ${signed}, not publish of ${name} as ${digest}: nothing was published`,
    { signed, digest },
  );
}
