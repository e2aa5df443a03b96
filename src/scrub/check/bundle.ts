/** `model.sig` as it was first shown: the signature that the entry names, and a proof that fits the log. */
import { equal, utf8 } from '../../core/bytes.ts';
import { digestOf } from '../../core/digest.ts';
import { openCheckpoint } from '../../core/log/checkpoint.ts';
import type { EntryOf } from '../../core/log/entry.ts';
import { checkInclusion, leafHash } from '../../core/log/merkle.ts';
import { noteVerifier } from '../../core/note/note.ts';
import { logIdOf, parseBundle, type RecordProof } from '../../core/statement/bundle.ts';
import { formatEnvelope } from '../../core/statement/dsse.ts';
import { formatHashedRekord } from '../../core/statement/hashedrekord.ts';
import { keyHint } from '../../core/statement/public-key.ts';
import { logKeysAt } from '../../core/trust/periods.ts';
import { type CheckParts, damaged, type Problem } from './parts.ts';

export async function checkBundleBytes(
  { host, trust }: Pick<CheckParts, 'host' | 'trust'>,
  entry: EntryOf<'release'>,
  index: number,
  bytes: Uint8Array,
): Promise<Problem | undefined> {
  const { hint, envelope, proof } = parseBundle(bytes);
  const { payloadType, payload, signature } = envelope;
  const signed = digestOf(host, formatEnvelope(payloadType, payload, signature));
  if (signed !== entry.model_sig) return damaged('its envelope is not the one that the log names');
  if (proof.index !== index + 1) return damaged(`its proof is of entry ${proof.index}`);
  if (hint !== keyHint(host, proof.record.spki)) return damaged('its hint is of another key');
  const included = checkInclusion(host, {
    ...proof,
    proof: proof.hashes,
    leafHash: leafHash(host, formatHashedRekord(proof.record)),
  });
  if (!included.ok) return damaged(included.message);
  return trust && checkProofHead(host, trust, proof);
}

/** The tree of the proof is one that a key of the log has signed. */
function checkProofHead(
  host: CheckParts['host'],
  trust: NonNullable<CheckParts['trust']>,
  { size, root, checkpoint, logId }: RecordProof,
): Problem | undefined {
  const keys = logKeysAt(trust, size);
  const opened = openCheckpoint(utf8(checkpoint), trust.origin, keys.map(noteVerifier));
  if (!opened.ok) return damaged(opened.message);
  const isItsTree = opened.checkpoint.size === size && equal(opened.checkpoint.root, root);
  if (!isItsTree) return damaged('its proof is not of the tree that its checkpoint signs');
  if (keys.some((key) => equal(logIdOf(host, key), logId))) return undefined;
  return damaged('it names another log');
}
