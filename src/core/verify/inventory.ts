/**
 * Is this the tensor inventory that a verified manifest names, and do the two fit together?
 * Then every tensor in it is one of a file of the release, and lies within that file.
 */
import { digestOf } from '../digest.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { findFile, type Manifest } from '../release/manifest.ts';
import { refusal, type Verdict } from '../verdict.ts';
import { type Inventory, type InventoryFile, parseInventory } from '../weights/inventory.ts';

/** Opens `tensors.json`. Throws `bad-document` when it does not fit the manifest that names it. */
export function openInventory(
  host: Pick<Host, 'sha256'>,
  manifest: Manifest,
  bytes: Uint8Array,
): Verdict<{ readonly inventory: Inventory }> {
  const { tensors, release } = manifest;
  const found = digestOf(host, bytes);
  if (found !== tensors?.sha256 || bytes.length !== tensors.size) {
    return refusal(
      'digest-mismatch',
      `tensors.json of ${release} is not the inventory that its manifest names`,
      { expected: tensors, found: { sha256: found, size: bytes.length } },
    );
  }
  const inventory = parseInventory(bytes);
  for (const file of inventory.files) requireFileOf(manifest, file);
  return { ok: true, inventory };
}

function requireFileOf(manifest: Manifest, { path, format, tensors }: InventoryFile): void {
  const file = findFile(manifest, path);
  if (file?.format !== format) throw bad(manifest, `it has no ${format} file ${path}`);
  const { name, offset, size } = tensors.at(-1)!;
  if (offset + size > file.size) {
    throw bad(manifest, `the tensor ${JSON.stringify(name)} goes beyond the end of ${path}`);
  }
}

function bad({ release }: Manifest, fault: string): CodedError {
  return new CodedError(
    'bad-document',
    `the tensor inventory of ${release} does not fit its manifest: ${fault}`,
  );
}
