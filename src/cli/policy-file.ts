/** A policy as a person writes it: JSON in any layout. What is signed is its canonical form. */
import { readFile } from 'node:fs/promises';
import { CodedError } from '../core/error.ts';
import { formatCanonical, parseJson } from '../core/json.ts';
import { checkEnrolments } from '../core/release/enrolment.ts';
import type { Namespace } from '../core/release/name.ts';
import { type Policy, parsePolicy } from '../core/release/policy.ts';
import { nodeHost } from '../hashing/host.ts';

/**
 * Reads a policy of `namespace` at `origin`, with the proofs of its keys. Throws `not-found`,
 * `bad-document`, `signature-invalid`.
 */
export async function readPolicyFile(
  file: string,
  origin: string,
  namespace: Namespace,
): Promise<Policy> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('not-found', `the policy ${file} cannot be read (${error.code})`);
  });
  const policy = parsePolicy(formatCanonical(parseJson(new Uint8Array(bytes), file)));
  if (policy.namespace !== namespace || policy.origin !== origin) {
    throw new CodedError(
      'bad-document',
      `${file} is a policy of ${policy.namespace} at ${policy.origin}, not of ${namespace} at ${origin}`,
    );
  }
  const enrolled = await checkEnrolments(nodeHost, policy);
  if (enrolled.ok) return policy;
  throw new CodedError(enrolled.code, `${file}: ${enrolled.message}`, enrolled.evidence);
}
