/** The two signed trees of a store: the committed one in `private/lock`, the published one in `log/checkpoint`. */
import { openCheckpoint, parseCheckpoint } from '../../core/log/checkpoint.ts';
import { noteVerifier, parseNote } from '../../core/note/note.ts';
import { logKeysAt } from '../../core/trust/periods.ts';
import { parseLock } from '../../log/lock.ts';
import { type Key, keys } from '../../store/keys.ts';
import type { CheckParts, Problem } from './parts.ts';

/** Without a trust root that can be believed, only their form can be judged. */
export function checkSignature(
  { trust }: Pick<CheckParts, 'trust'>,
  key: Key,
  bytes: Uint8Array,
): Problem | undefined {
  const note = key === keys.lock() ? parseLock(bytes).checkpoint : bytes;
  const { size } = parseCheckpoint(parseNote(note).text);
  if (trust === undefined) return undefined;
  const opened = openCheckpoint(note, trust.origin, logKeysAt(trust, size).map(noteVerifier));
  return opened.ok ? undefined : { problem: 'damaged', detail: opened.message };
}
