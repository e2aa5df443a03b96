/** The release manager's signature under a publish, where the policy is gated. */
import type { DraftStatus } from '../client/answers.ts';
import type { Api } from '../client/api.ts';
import { draftDecision, signEnvelope } from '../client/decide/decide.ts';
import type { Digest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import { formatReleaseName, type ReleaseName } from '../core/release/name.ts';
import { isGated } from '../core/release/requirements.ts';
import { type Envelope, parseEnvelope } from '../core/statement/dsse.ts';
import type { Context } from './context.ts';
import { describeToSign } from './decision-text.ts';
import { openMeans } from './means.ts';
import type { PassphraseFlags } from './passphrase.ts';
import { readPolicyInForce } from './policy-in-force.ts';
import { openSigner } from './signer.ts';
import { formatFields } from './table.ts';

/** Seconds for which it is good: longer than any queue, shorter than a change of mind. */
const LASTS = 24 * 3600;

/** Undefined where none is needed. Throws `usage` where one is and nobody gave a key. */
export async function signIntent(
  context: Context,
  flags: PassphraseFlags,
  {
    api,
    release,
    digest,
    status,
  }: {
    readonly api: Api;
    readonly release: ReleaseName;
    readonly digest: Digest;
    readonly status: DraftStatus;
  },
): Promise<Envelope | undefined> {
  if (status.state !== 'sealed') return undefined;
  const policy = await readPolicyInForce(api, release, status, context.signal);
  if (policy === undefined || !isGated(policy.gate)) return undefined;
  if (context.config.key === undefined) {
    const name = formatReleaseName(release);
    throw new CodedError(
      'usage',
      `the policy of ${release.namespace} asks a release manager to sign this: weighhouse publish ${name} --digest ${digest} --key FILE`,
    );
  }
  const signer = await openSigner(context, flags);
  const means = await openMeans(context);
  const wish = { release, said: { decision: 'publish' }, named: digest, lasts: LASTS } as const;
  const draft = await draftDecision(means, signer.spki, wish);
  for (const line of formatFields(describeToSign(draft.decision, draft))) context.output.say(line);
  return parseEnvelope(await signEnvelope(signer, draft.decision));
}
