/**
 * Signatures of owners under one policy, from several machines. All but the last owner write
 * theirs to a file with `--sign-only`; the last gives these files with `--signed`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { equal } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { POLICY_PAYLOAD_TYPE, type Policy } from '../core/release/policy.ts';
import { type Envelope, formatEnvelope, parseEnvelope, toSign } from '../core/statement/dsse.ts';
import type { Context } from './context.ts';
import type { PassphraseFlags } from './passphrase.ts';
import { openSigner } from './signer.ts';
import { formatCount } from './units.ts';

export interface SignatureFlags extends PassphraseFlags {
  readonly signOnly?: string;
  readonly signed?: readonly string[];
}

/** Signs the canonical bytes of a policy with the key of `--key`. */
export async function signAsOwner(
  context: Context,
  flags: PassphraseFlags,
  payload: Uint8Array,
): Promise<Envelope> {
  const signer = await openSigner(context, flags);
  const payloadType = POLICY_PAYLOAD_TYPE;
  return { payloadType, payload, signature: await signer.sign(toSign(payloadType, payload)) };
}

/** Writes a signature for another owner to take along. */
export async function writeSignature(file: string, envelope: Envelope): Promise<void> {
  const { payloadType, payload, signature } = envelope;
  await writeFile(file, formatEnvelope(payloadType, payload, signature));
}

/** The signatures that `--signed` names. Throws `bad-document` for one of another policy. */
export async function readSignatures(
  { signed = [] }: SignatureFlags,
  policy: Uint8Array,
): Promise<Envelope[]> {
  return Promise.all(signed.map((path) => readSignature(path, policy)));
}

/** Says how to get the others, before the registry refuses. `command` is what was typed. */
export function requireQuorum({ owners }: Policy, signatures: number, command: string): void {
  if (signatures >= owners) return;
  throw new CodedError(
    'gate-unmet',
    `${formatCount(owners, 'owner')} must sign this policy, and ${signatures} did: let another run "${command} --key … --sign-only FILE", and give that file with --signed`,
    { owners, signatures },
  );
}

async function readSignature(path: string, policy: Uint8Array): Promise<Envelope> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('not-found', `the signature ${path} cannot be read (${error.code})`);
  });
  const envelope = parseEnvelope(new Uint8Array(bytes), path);
  if (envelope.payloadType === POLICY_PAYLOAD_TYPE && equal(envelope.payload, policy)) {
    return envelope;
  }
  throw new CodedError('bad-document', `${path} is a signature of another policy than this file`);
}
