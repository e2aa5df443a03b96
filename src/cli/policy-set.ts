/**
 * `policy set NS FILE`: logs the next version of a policy. Owners of the policy in force sign
 * it, as many as it asks for, each on a machine of their own:
 *
 *     policy set acme acme.json --key ada.key --sign-only ada.dsse      all but the last
 *     policy set acme acme.json --key bob.key --signed ada.dsse         the last
 */
import type { Api } from '../client/api.ts';
import { pinOf } from '../client/trust.ts';
import { formatSeconds } from '../core/amounts.ts';
import { parseBase64 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { type Namespace, parseNamespace } from '../core/release/name.ts';
import { formatPolicy, type Policy, parsePolicy } from '../core/release/policy.ts';
import { describeKey } from '../core/release/policy-key.ts';
import { compareStrictness } from '../core/release/strictness.ts';
import type { Context } from './context.ts';
import {
  anotherRuns,
  policyToSign,
  readSignatures,
  requireQuorum,
  type SignatureFlags,
  signAsOwner,
  writeSignature,
} from './owner-signatures.ts';
import { openPins } from './pins.ts';
import { readPolicyFile } from './policy-file.ts';
import { openApi, openApiWithToken } from './reach.ts';

export async function setPolicy(
  context: Context,
  flags: SignatureFlags,
  text: string,
  file: string,
): Promise<void> {
  const { output, signal } = context;
  const namespace = parseNamespace(text);
  const onlySigns = flags.signOnly !== undefined;
  const api = onlySigns ? await openApi(context) : await openApiWithToken(context);
  const { origin } = await pinOf(api, openPins(context), signal);
  const policy = await readPolicyFile(file, origin, namespace);
  const inForce = await readInForce(api, namespace, signal);
  requireNextVersion(policy, await newestVersion(api, namespace, signal), file);
  const change = compareStrictness(inForce, policy);
  output.say(describeChange(change, inForce));
  for (const line of newKeys(inForce, policy)) output.say(line);
  if (inForce.bytes !== undefined && policy.bytes === undefined) {
    output.warn('it gives the bytes of every release to everybody, which nobody can take back');
  }
  const bytes = formatPolicy(policy);
  const document = policyToSign(bytes);
  const own = await signAsOwner(context, flags, document);
  if (flags.signOnly !== undefined) {
    await writeSignature(flags.signOnly, own);
    output.result({ namespace, version: policy.version, file: flags.signOnly, change }, [
      `signed version ${policy.version} into ${flags.signOnly}; the last owner runs: weighhouse policy set ${namespace} ${file} --signed ${flags.signOnly} --key …`,
    ]);
    return;
  }
  const others = await readSignatures(flags, document);
  const way = anotherRuns(`weighhouse policy set ${namespace} ${file}`);
  requireQuorum(inForce, others.length + 1, way);
  const signed = [own, ...others];
  const logged = await api.setPolicy(namespace, { policy: bytes, signed }, { signal });
  output.result({ namespace, ...logged, change }, [
    `version ${logged.version} of the policy of ${namespace} is entry ${logged.index} of the log`,
    `in force from ${logged.inForceAt}`,
  ]);
}

async function readInForce(api: Api, namespace: Namespace, signal: AbortSignal): Promise<Policy> {
  const { policy } = await api.policy(namespace, undefined, { signal });
  return parsePolicy(parseBase64(policy));
}

async function newestVersion(api: Api, namespace: Namespace, signal: AbortSignal) {
  const { policies } = await api.policies(namespace, { signal });
  return Math.max(0, ...policies.map(({ version }) => version));
}

/** Versions have no gaps: each is signed as the one that follows what its signer saw. */
function requireNextVersion({ version }: Policy, newest: number, file: string): void {
  if (version === newest + 1) return;
  throw new CodedError(
    'usage',
    `${file} is version ${version}, but the next one is ${newest + 1}: change its "version" (and look at what version ${newest} says)`,
    { version, next: newest + 1 },
  );
}

/** Keys that the policy in force does not have: whoever signs should know whose, and of which kind. */
function newKeys(inForce: Policy, { people }: Policy): string[] {
  const known = new Set(inForce.people.flatMap(({ keys }) => keys.map(({ spki }) => spki)));
  return people.flatMap(({ id, keys }) =>
    keys
      .filter(({ spki }) => !known.has(spki))
      .map((key) => {
        const where = key.passkey && `, which signs at ${key.passkey.origins.join(' and ')}`;
        return `${id} gets ${describeKey(key)}${where ?? ''}`;
      }),
  );
}

function describeChange(change: ReturnType<typeof compareStrictness>, { delay }: Policy): string {
  if (change === 'same') return 'this asks for the same as the policy in force';
  if (change === 'stricter') return 'this is stricter than the policy in force: it acts at once';
  if (delay === 0) return 'this is looser than the policy in force, which asks for no delay';
  const wait = formatSeconds(delay);
  return `this is looser than the policy in force, and waits ${wait} in the log, for who would object`;
}
