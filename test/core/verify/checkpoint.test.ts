import { describe, expect, test } from '@jest/globals';
import type { TrustRoot } from '../../../src/core/trust/succession.ts';
import { verifyCheckpoint } from '../../../src/core/verify/checkpoint.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { makeKey } from '../../made/p256.ts';
import { MadeRegistry } from '../../made/registry.ts';
import { changed, refusedBy } from '../../made/tampering.ts';

const registry = new MadeRegistry();
registry.namespace('acme');

describe('a checkpoint', () => {
  test('is opened with the log’s key, and refused with any byte changed', async () => {
    const note = registry.checkpoint();
    expect(verifyCheckpoint(nodeHost, registry.root, note)).toMatchObject({ ok: true });
    for (const bytes of changed(note)) {
      expect(await refusedBy(() => verifyCheckpoint(nodeHost, registry.root, bytes))).toBeDefined();
    }
  });

  test('of a log with the same name and another key is refused', async () => {
    const root = {
      ...registry.root,
      log: [
        { key: { ...registry.root.log[0]!.key, publicKey: makeKey().spki.slice(-32) }, from: 0 },
      ],
    };
    expect(
      await refusedBy(() =>
        verifyCheckpoint(nodeHost, root as unknown as TrustRoot, registry.checkpoint()),
      ),
    ).toBe('signature-invalid');
  });
});
