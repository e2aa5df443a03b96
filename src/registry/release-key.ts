/**
 * The registry's own signature, and the place in the log that it is for. A release key is good
 * for some entries and not for others, and where an entry comes to stand is only known when it
 * is committed: so the guard asks once more.
 */
import { equal } from '../core/bytes.ts';
import { CodedError, isCoded } from '../core/error.ts';
import type { Spki } from '../core/statement/public-key.ts';
import type { View } from '../log/item.ts';
import type { RegistryParts, ReleaseKey } from './parts.ts';

/** The key for what is logged next, as far as that can be known. */
export function presentReleaseKey({ keys, log }: RegistryParts): ReleaseKey {
  return keys.releaseKeyAt(log.committed().size);
}

/**
 * In a guard: may the key that signed sign at this place? A root that is logged before it is in
 * the store by now, since a commit is only stood upon once it is applied.
 */
export async function requireReleaseKey(
  { keys }: RegistryParts,
  { index }: View,
  spki: Spki,
): Promise<void> {
  await keys.renew();
  if (equal(keys.releaseKeyAt(index).spki, spki)) return;
  throw new CodedError(
    'conflict',
    `the release key that signed this may not sign at entry ${index}: the trust root has another there; try again`,
    { endedKey: true },
  );
}

/** Is this the refusal of a key that has ended, or has not begun? */
export function isEndedKey(error: unknown): boolean {
  return isCoded(error, 'conflict') && error.details.endedKey === true;
}
