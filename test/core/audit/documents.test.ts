import { describe, expect, test } from '@jest/globals';
import { checkRelease } from '../../../src/core/audit/documents.ts';
import { utf8 } from '../../../src/core/bytes.ts';
import type { EntryOf } from '../../../src/core/log/entry.ts';
import { nodeHost } from '../../../src/hashing/host.ts';
import { readEntry } from '../../made/audited.ts';
import { MadeRegistry } from '../../made/registry.ts';

describe('the documents of a release', () => {
  test('are those of the entry at that very index', async () => {
    const made = new MadeRegistry();
    made.namespace('acme');
    const index = made.publish('acme/tiny@v1', { a: utf8('a') });
    const entry = readEntry(made, index) as EntryOf<'release'>;
    const documents = made.documents('acme/tiny@v1');
    const check = (at: number) =>
      checkRelease(nodeHost, { root: made.root, index: at }, entry, documents);
    expect(await check(index)).toMatchObject({ ok: true });
    expect(await check(index + 1)).toMatchObject({ ok: false, code: 'proof-invalid' });
  });
});
