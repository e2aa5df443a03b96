/** The tensors of a verified release, without its weights. */
import { openInventory } from '../core/verify/inventory.ts';
import type { VerifiedRelease } from '../core/verify/release.ts';
import type { Inventory } from '../core/weights/inventory.ts';
import { accept } from './accept.ts';
import type { Reader } from './release.ts';

/** Reads the inventory that the manifest names, if any. Throws `digest-mismatch`, `bad-document`. */
export async function readInventory(
  { host, api }: Pick<Reader, 'host' | 'api'>,
  { manifest, release }: Pick<VerifiedRelease, 'manifest' | 'release'>,
  signal: AbortSignal | undefined,
): Promise<Inventory> {
  if (manifest.tensors === undefined) return { files: [] };
  const bytes = await api.document(release, 'tensors.json', { signal });
  return accept(openInventory(host, manifest, bytes)).inventory;
}
