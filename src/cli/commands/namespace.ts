/**
 * `namespace create NS`: begins a namespace with its first policy, signed by its owner. Its
 * trusted publishers are in `namespace-publishers.ts`, its quota in `namespace-quota.ts`.
 */
import type { Command } from 'commander';
import { pinOf } from '../../client/trust.ts';
import { type Namespace, parseNamespace } from '../../core/release/name.ts';
import { formatPolicy, type Policy } from '../../core/release/policy.ts';
import { formatEnvelope } from '../../core/statement/dsse.ts';
import { soloFor } from '../../operator/namespace.ts';
import { declare, declareGroup, type Run } from '../command.ts';
import type { Context } from '../context.ts';
import {
  anotherRuns,
  policyToSign,
  readSignatures,
  requireQuorum,
  type SignatureFlags,
  signAsOwner,
  takingSignatures,
  writeSignature,
} from '../owner-signatures.ts';
import { openPins } from '../pins.ts';
import { readPolicyFile } from '../policy-file.ts';
import { openApi, openApiWithToken } from '../reach.ts';
import { openSigner } from '../signer.ts';
import { publisherCommands } from './namespace-publishers.ts';
import { quotaCommands } from './namespace-quota.ts';

/** How the one owner is called in a policy that is made here. */
const SOLE_OWNER = 'owner';

export function makeCommand(run: Run): Command {
  const group = declareGroup('namespace', 'namespace create acme --policy acme.json').addCommand(
    takingSignatures(
      declare('create', 'namespace create acme --policy acme.json --key owner.key')
        .description('begin a namespace; takes a token of the operator and an owner’s key')
        .argument('<ns>', 'the namespace')
        .option('--policy <file>', 'its first policy; without it, one with --key as sole owner')
        .option('--override', 'begin it although another namespace looks much the same'),
    ).action(run(createNamespace)),
  );
  for (const command of [...quotaCommands(run), ...publisherCommands(run)]) {
    group.addCommand(command);
  }
  return group;
}

interface CreateFlags extends SignatureFlags {
  readonly policy?: string;
  readonly override?: boolean;
}

async function createNamespace(context: Context, flags: CreateFlags, text: string): Promise<void> {
  const namespace = parseNamespace(text);
  const onlySigns = flags.signOnly !== undefined;
  const api = onlySigns ? await openApi(context) : await openApiWithToken(context);
  // A policy names its registry, and what signs it must not be told which by a stranger.
  const { origin } = await pinOf(api, openPins(context), context.signal);
  const policy = await firstPolicy(context, flags, origin, namespace);
  const bytes = formatPolicy(policy);
  const document = policyToSign(bytes);
  const own = await signAsOwner(context, flags, document);
  if (flags.signOnly !== undefined) {
    await writeSignature(flags.signOnly, own);
    context.output.result({ namespace, file: flags.signOnly }, [
      `signed into ${flags.signOnly}, for another owner: weighhouse namespace create ${namespace} --policy ${flags.policy} --signed ${flags.signOnly} --key …`,
    ]);
    return;
  }
  const signed = [own, ...(await readSignatures(flags, document))];
  const command = `weighhouse namespace create ${namespace} --policy ${flags.policy}`;
  requireQuorum(policy, signed.length, anotherRuns(command));
  const request = {
    policy: bytes,
    signed: signed.map((it) => formatEnvelope(it.payloadType, it.payload, it.signature)),
    ...(flags.override === true ? { override: true } : {}),
  };
  const made = await api.createNamespace(request, { signal: context.signal });
  context.output.result({ namespace, index: made.index }, [
    `${namespace} begins with entry ${made.index} of the log`,
  ]);
}

async function firstPolicy(
  context: Context,
  flags: CreateFlags,
  origin: string,
  namespace: Namespace,
): Promise<Policy> {
  if (flags.policy !== undefined) return readPolicyFile(flags.policy, origin, namespace);
  return soloFor(origin, namespace, await openSigner(context, flags), SOLE_OWNER);
}
