/**
 * Puts enrolled keys into a policy that is still being written: one of `keys/policies`, or the
 * last version. Where a person has no key yet, a template has words in the place of one.
 */
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { CodedError } from '../core/error.ts';
import { parseJson } from '../core/json.ts';
import type { Enrolment } from '../core/release/enrolment.ts';
import type { PolicyKey } from '../core/release/policy-key.ts';
import { parseShape } from '../core/shape.ts';
import { replaceFile } from '../whole-file.ts';

/** How the words begin that stand where a key is to be. */
const TEMPLATE = /^PASTE /;

const unfinished = v.looseObject({
  origin: v.string(),
  namespace: v.string(),
  people: v.array(
    v.looseObject({ id: v.string(), keys: v.array(v.looseObject({ spki: v.string() })) }),
  ),
});

/** Adds `key` to the person's keys in the file, where it is not there already. */
export async function putIntoPolicy(
  file: string,
  { origin, namespace, person }: Enrolment,
  key: PolicyKey,
): Promise<void> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new CodedError('not-found', `the policy ${file} cannot be read (${error.code})`);
  });
  const policy = parseShape(unfinished, parseJson(new Uint8Array(bytes), file), file);
  if (policy.origin !== origin || policy.namespace !== namespace) {
    throw new CodedError(
      'bad-document',
      `${file} is a policy of ${policy.namespace} at ${policy.origin}, not of ${namespace} at ${origin}: change what it says there`,
    );
  }
  const found = policy.people.find(({ id }) => id === person);
  if (found === undefined) {
    throw new CodedError(
      'bad-document',
      `${file} has nobody with the id "${person}"; add them first`,
    );
  }
  const others = found.keys.filter(({ spki }) => !TEMPLATE.test(spki) && spki !== key.spki);
  found.keys = [...others, { ...key }];
  await replaceFile(file, `${JSON.stringify(policy, null, 2)}\n`);
}
