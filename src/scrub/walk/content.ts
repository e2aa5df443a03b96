/**
 * Content, by the digests that are bound to it: each blob once, however many releases name it.
 * What is public is told by its claim, and comes in a walk of its own before all the rest.
 */
import { formatHex } from '../../core/bytes.ts';
import type { Digest } from '../../core/digest.ts';
import { isCoded } from '../../core/error.ts';
import { bindingForm, isWhole } from '../../registry/documents/content.ts';
import { load } from '../../registry/documents/form.ts';
import { keys, prefixes } from '../../store/keys.ts';
import type { Walk, WalkParts } from './step.ts';

/** Bindings between two marks: a scrub that was killed reads no more of them again. */
const MARK_EVERY = 32;

/** Digests whose first byte is `from` up to, not including, `to`; those after `after`, in hex. */
export async function* walkContent(
  parts: WalkParts,
  which: 'public' | 'private',
  from: number,
  to: number,
  after: string,
): Walk {
  for (let first = from; first < to; first++) {
    const shard = formatHex(Uint8Array.of(first));
    if (after.slice(0, 2) > shard) continue;
    // No store lists in an order that can be relied upon.
    const found = (await listed(parts, shard)).filter((hex) => hex > after).sort();
    for (const [i, hex] of found.entries()) {
      yield* walkBinding(parts, which, `sha256:${hex}` as Digest);
      if ((i + 1) % MARK_EVERY === 0) yield { after: hex };
    }
    yield { after: `${shard}${'f'.repeat(62)}` };
  }
}

async function listed({ store, pace }: WalkParts, shard: string): Promise<string[]> {
  const found: string[] = [];
  await pace.request();
  for await (const key of store.list(prefixes.digests(shard))) found.push(key.slice(-64));
  return found;
}

async function* walkBinding(
  { store, host, pace }: WalkParts,
  which: 'public' | 'private',
  sha256: Digest,
): Walk {
  const isPublic = (await store.size(keys.publicClaim(sha256))) !== undefined;
  await pace.request();
  if (isPublic !== (which === 'public')) return;
  const binding = await load(store, keys.digest(sha256), bindingForm).catch((error: unknown) => {
    // A binding that does not parse is named by whatever names its digest.
    if (isCoded(error, 'storage') && 'where' in error.details) return undefined;
    throw error;
  });
  await pace.request();
  if (binding === undefined || !isWhole(host, sha256, binding.value)) return;
  const { blob, size, chunks } = binding.value;
  const due = { by: 'content', sha256, size, ...(chunks !== undefined && { chunks }) } as const;
  yield { key: keys.blob(blob), due };
}
