import { describe, expect, test } from '@jest/globals';
import { formatDigest } from '../../../src/core/digest.ts';
import { parseCheckpoint } from '../../../src/core/log/checkpoint.ts';
import { parseNote } from '../../../src/core/note/note.ts';
import type { TrustRoot } from '../../../src/core/trust/succession.ts';
import { verifyCheckpoint } from '../../../src/core/verify/checkpoint.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { makeKey } from '../../made/p256.ts';
import { MadeRegistry } from '../../made/registry.ts';
import { changed, refusedBy } from '../../made/tampering.ts';
import { publicLogKey } from '../../made/trust-root.ts';

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

  test('that is smaller than where the present log key began is refused', async () => {
    const [period] = registry.root.log;
    const { size, root } = parseCheckpoint(parseNote(registry.checkpoint()).text);
    const young = publicLogKey(8);
    const end = { size: size + 1, root: formatDigest(root) };
    const log = [
      { ...period!, end },
      { key: young, from: size + 1 },
    ];
    const rotated = { ...registry.root, log } as TrustRoot;
    expect(await refusedBy(() => verifyCheckpoint(nodeHost, rotated, registry.checkpoint()))).toBe(
      'rolled-back',
    );
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
