/**
 * `void NS LABEL`: the owners say, in the log, that a commitment which nobody opens no longer
 * blocks. As many sign as sign a policy, each on a machine of their own, and all the very same
 * words: the first one gives the reason, and the others sign what is in the first one's file.
 *
 *     void acme 9f86… --reason "Bob lost his receipt" --key ada.key --sign-only ada.dsse
 *     void acme 9f86… --signed ada.dsse --key bob.key --sign-only bob.dsse      all between
 *     void acme 9f86… --signed ada.dsse --signed bob.dsse --key eva.key         the last
 */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import type { Api } from '../../client/api.ts';
import { pinOf } from '../../client/trust.ts';
import { parseBase64 } from '../../core/bytes.ts';
import { CodedError } from '../../core/error.ts';
import type { Origin } from '../../core/log/checkpoint.ts';
import { type Namespace, parseNamespace } from '../../core/release/name.ts';
import { parsePolicy } from '../../core/release/policy.ts';
import { formatVoid, parseVoid, VOID_PAYLOAD_TYPE, type Void } from '../../core/release/void.ts';
import { declare, type Run } from '../command.ts';
import type { Context } from '../context.ts';
import {
  readSignature,
  readSignatures,
  requireQuorum,
  type SignatureFlags,
  signAsOwner,
  takingSignatures,
  writeSignature,
} from '../owner-signatures.ts';
import { openPins } from '../pins.ts';
import { openApi, openApiWithToken } from '../reach.ts';

export function makeCommand(run: Run): Command {
  return takingSignatures(
    declare('void', 'void acme 9f86d081… --reason "Bob lost his receipt" --key ada.key')
      .description(
        'log that a commitment which nobody opens no longer blocks, signed by the owners',
      )
      .argument('<ns>', 'the namespace')
      .argument('<label>', 'the commitment’s label, as "weighhouse status" shows it')
      .option('--reason <text>', 'why, for everybody to read; the first owner gives it'),
  ).action(run(voidLabel));
}

interface VoidFlags extends SignatureFlags {
  readonly reason?: string;
}

/** What is to be voided, and where. */
interface Where {
  readonly origin: Origin;
  readonly namespace: Namespace;
  readonly label: string;
}

async function voidLabel(
  context: Context,
  flags: VoidFlags,
  text: string,
  label: string,
): Promise<void> {
  const { output, signal } = context;
  const namespace = parseNamespace(text);
  requireLabel(label);
  const api =
    flags.signOnly === undefined ? await openApiWithToken(context) : await openApi(context);
  const { origin } = await pinOf(api, openPins(context), signal);
  const said = await voidToSign(context, flags, { origin, namespace, label });
  output.say(`voids the commitment ${label} for ${namespace}: ${said.reason}`);
  const document = { payloadType: VOID_PAYLOAD_TYPE, payload: formatVoid(said) };
  const own = await signAsOwner(context, flags, document);
  const others = await readSignatures(flags, document);
  if (flags.signOnly !== undefined) {
    await writeSignature(flags.signOnly, own);
    const files = [...(flags.signed ?? []), flags.signOnly].map((file) => `--signed ${file}`);
    output.result({ namespace, label, file: flags.signOnly }, [
      `signed into ${flags.signOnly}; the last owner runs: weighhouse void ${namespace} ${label} ${files.join(' ')} --key …`,
    ]);
    return;
  }
  await requireOwners(api, namespace, others.length + 1, signal);
  const signed = [own, ...others];
  const { index } = await api.voidLabel({ namespace, label, signed }, { signal });
  output.result({ namespace, label, index, reason: said.reason }, [
    `the commitment ${label} is void for ${namespace}: entry ${index} of the log`,
  ]);
}

/** A new void with `--reason`, or the one that another owner has signed already. */
async function voidToSign(
  context: Context,
  { signed: [first] = [], reason }: VoidFlags,
  { origin, namespace, label }: Where,
): Promise<Void> {
  if (first !== undefined) return signedVoid(first, reason, { origin, namespace, label });
  if (reason === undefined) {
    throw new CodedError('usage', 'say why, for everybody to read: --reason "…"');
  }
  const time = new Date(context.clock()).toISOString();
  const nonce = randomBytes(32).toString('hex');
  return { v: 1, origin, namespace, label, reason, time, nonce };
}

async function signedVoid(file: string, reason: string | undefined, where: Where): Promise<Void> {
  const { payloadType, payload } = await readSignature(file);
  if (payloadType !== VOID_PAYLOAD_TYPE) {
    throw new CodedError('bad-document', `${file} is not a signature of a void`);
  }
  const said = parseVoid(payload);
  const { origin, namespace, label } = where;
  if (said.origin !== origin || said.namespace !== namespace || said.label !== label) {
    throw new CodedError(
      'bad-document',
      `${file} voids ${said.label} for ${said.namespace} at ${said.origin}, not ${label} for ${namespace} at ${origin}`,
    );
  }
  if (reason === undefined || reason === said.reason) return said;
  throw new CodedError('usage', `all owners sign the same words, and ${file} says: ${said.reason}`);
}

/** Says how to get the other signatures, before the registry refuses. */
async function requireOwners(
  api: Api,
  namespace: Namespace,
  signatures: number,
  signal: AbortSignal,
): Promise<void> {
  const { policy } = await api.policy(namespace, undefined, { signal });
  const way = 'write yours to a file with --sign-only, for the next owner to give with --signed';
  requireQuorum(parsePolicy(parseBase64(policy)), signatures, way);
}

function requireLabel(text: string): void {
  if (/^[0-9a-f]{64}$/.test(text)) return;
  throw new CodedError(
    'usage',
    `a label is 64 lower-case hex digits, as "weighhouse status" shows it, not "${text}"`,
  );
}
