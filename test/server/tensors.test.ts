/** How long a list of tensors may be to be shown, and to be summed up. */
import { describe, expect, test } from '@jest/globals';
import { parseReleaseName } from '../../src/core/release/name.ts';
import { MAX_SUMMARISED_BYTES } from '../../src/core/weights/summary.ts';
import type { PublishedRelease, Registry } from '../../src/registry/registry.ts';
import { tensorsView } from '../../src/server/pages/views/tensors.ts';
import { extentOf, MAX_SHOWN_INVENTORY, Tensors } from '../../src/server/tensors/tensors.ts';

const release = parseReleaseName('acme/tiny@v1');
const SHA256 = `sha256:${'a'.repeat(64)}`;

/** A release whose inventory has so many bytes; none without. */
function withInventory(size?: number): PublishedRelease {
  const tensors = size === undefined ? undefined : { size, sha256: SHA256 };
  return { release, manifest: { tensors, files: [] } } as unknown as PublishedRelease;
}

describe('the inventory', () => {
  test('is shown up to its limit, and no further', () => {
    const extents = [undefined, MAX_SHOWN_INVENTORY, MAX_SHOWN_INVENTORY + 1].map((size) =>
      extentOf(withInventory(size).manifest),
    );
    expect(extents).toEqual(['none', 'shown', 'too-large']);
  });

  test('that is too long to be shown can be had whole', () => {
    const published = withInventory(MAX_SHOWN_INVENTORY + 1);
    const { body } = tensorsView({ published, found: 'too-large', words: '', page: 1 });
    expect(String(body)).toContain('/api/v1/releases/acme/tiny/v1/tensors.json');
    expect(String(body)).not.toContain('<form');
  });

  test('is read for its sums up to its limit, and no further', async () => {
    const asked: string[] = [];
    const document = async (_release: unknown, name: string) => {
      asked.push(name);
      throw new Error('as far as it goes here');
    };
    const tensors = new Tensors({ document } as unknown as Registry);
    expect(await tensors.sums(withInventory())).toBeUndefined();
    expect(await tensors.sums(withInventory(MAX_SUMMARISED_BYTES + 1))).toBeUndefined();
    expect(asked).toEqual([]);
    await expect(tensors.sums(withInventory(MAX_SUMMARISED_BYTES))).rejects.toThrow('as far');
    expect(asked).toEqual(['tensors.json']);
  });
});
