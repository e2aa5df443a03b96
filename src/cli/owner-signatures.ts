/**
 * Signatures of owners under one document, a policy or a void, from several machines. All but
 * the last owner write theirs to a file with `--sign-only`; the last gives these files with
 * `--signed`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { formatCount } from '../core/amounts.ts';
import { equal } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { POLICY_PAYLOAD_TYPE, type Policy } from '../core/release/policy.ts';
import { type Envelope, formatEnvelope, parseEnvelope, toSign } from '../core/statement/dsse.ts';
import { collect, keyFlag, passphraseFlag, tokenFlag, urlFlag } from './command.ts';
import type { Context } from './context.ts';
import type { PassphraseFlags } from './passphrase.ts';
import { openSigner } from './signer.ts';

export interface SignatureFlags extends PassphraseFlags {
  readonly signOnly?: string;
  readonly signed?: readonly string[];
}

/** Adds what a command takes that owners sign, alone or one after the other. */
export function takingSignatures(command: Command): Command {
  return command
    .option('--sign-only <file>', 'only sign it, into this file, for another owner')
    .option('--signed <file>', 'another owner’s signature; may be repeated', collect)
    .addOption(keyFlag())
    .addOption(passphraseFlag())
    .addOption(urlFlag())
    .addOption(tokenFlag());
}

/** What owners sign. */
export type OwnersDocument = Pick<Envelope, 'payloadType' | 'payload'>;

/** The canonical bytes of a policy, for its owners to sign. */
export function policyToSign(payload: Uint8Array): OwnersDocument {
  return { payloadType: POLICY_PAYLOAD_TYPE, payload };
}

/** Signs with the key of `--key`. */
export async function signAsOwner(
  context: Context,
  flags: PassphraseFlags,
  { payloadType, payload }: OwnersDocument,
): Promise<Envelope> {
  const signer = await openSigner(context, flags);
  return { payloadType, payload, signature: await signer.sign(toSign(payloadType, payload)) };
}

/** Writes a signature for another owner to take along. */
export async function writeSignature(file: string, envelope: Envelope): Promise<void> {
  const { payloadType, payload, signature } = envelope;
  await writeFile(file, formatEnvelope(payloadType, payload, signature));
}

/** The signatures that `--signed` names. Throws `bad-document` for one of something else. */
export async function readSignatures(
  { signed = [] }: SignatureFlags,
  document: OwnersDocument,
): Promise<Envelope[]> {
  const envelopes = await Promise.all(signed.map(readSignature));
  for (const [i, { payloadType, payload }] of envelopes.entries()) {
    if (payloadType === document.payloadType && equal(payload, document.payload)) continue;
    throw new CodedError('bad-document', `${signed[i]} is a signature of something else than this`);
  }
  return envelopes;
}

/** Reads a signature that another owner wrote; what it signs is for the caller to look at. */
export async function readSignature(path: string): Promise<Envelope> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('not-found', `the signature ${path} cannot be read (${error.code})`);
  });
  return parseEnvelope(new Uint8Array(bytes), path);
}

/** Says how to get the others, before the registry refuses. `way` is how the next one signs. */
export function requireQuorum({ owners }: Policy, signatures: number, way: string): void {
  if (signatures >= owners) return;
  throw new CodedError(
    'gate-unmet',
    `${formatCount(owners, 'owner')} must sign this, and ${signatures} did: ${way}`,
    { owners, signatures },
  );
}

/** The way to another signature of a policy, which everybody has in a file. */
export function anotherRuns(command: string): string {
  return `let another run "${command} --key … --sign-only FILE", and give that file with --signed`;
}
