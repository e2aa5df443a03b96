/**
 * Documents that are composed out of the log: the proof that it has an entry, and `model.sig`,
 * the signature with its proof inside. All but the checkpoint in them, which grows, and the
 * path to it, is always the same.
 */
import { parseUtf8 } from '../core/bytes.ts';
import { formatTlogProof } from '../core/log/tlog-proof.ts';
import { formatBundle, logIdOf } from '../core/statement/bundle.ts';
import { parseEnvelope } from '../core/statement/dsse.ts';
import { parseHashedRekord } from '../core/statement/hashedrekord.ts';
import { keyHint } from '../core/statement/public-key.ts';
import type { Published } from '../log/reader.ts';
import type { ReleaseRecord } from './documents/release.ts';
import type { RegistryParts } from './parts.ts';

/** The `.tlog-proof` of entry `index`, in the published tree or in `tree`. */
export async function formatProof(
  { reader }: RegistryParts,
  index: number,
  tree?: Published,
): Promise<Uint8Array> {
  const { size, note } = tree ?? (await reader.published());
  return formatTlogProof({
    index,
    hashes: await reader.inclusionProof(index, size),
    checkpoint: note,
  });
}

/** `model.sig` of a release: the envelope, and the proof of the hashedrekord after its entry. */
export async function formatModelSig(
  { host, reader, keys }: RegistryParts,
  release: ReleaseRecord,
  envelope: Uint8Array,
): Promise<Uint8Array> {
  const index = release.index + 1;
  const { size, root, note } = await reader.published();
  const record = parseHashedRekord(await reader.entry(index));
  return formatBundle({
    hint: keyHint(host, record.spki),
    envelope: parseEnvelope(envelope, 'the model signature'),
    proof: {
      record,
      logId: logIdOf(host, keys.logKeyAt(size)),
      index,
      size,
      root,
      hashes: await reader.inclusionProof(index, size),
      checkpoint: parseUtf8(note),
    },
  });
}
