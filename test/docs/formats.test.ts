/** The examples of docs/formats.md, read out of the page: what it shows must be what the parsers take. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { formatHex, utf8 } from '../../src/core/bytes.ts';
import { digestHex, digestOf, formatDigest } from '../../src/core/digest.ts';
import { parseCheckpoint } from '../../src/core/log/checkpoint.ts';
import { type EntryOf, parseEntry } from '../../src/core/log/entry.ts';
import { headLeaf, parseHead } from '../../src/core/log/heads.ts';
import { checkInclusion, leafHash } from '../../src/core/log/merkle.ts';
import { parseTlogProof } from '../../src/core/log/tlog-proof.ts';
import { parseNote } from '../../src/core/note/note.ts';
import { parseManifest } from '../../src/core/release/manifest.ts';
import { parsePolicy } from '../../src/core/release/policy.ts';
import { parseDecision } from '../../src/core/statement/decision.ts';
import { parseHashedRekord } from '../../src/core/statement/hashedrekord.ts';
import { nodeHost } from '../../src/hashing/host.ts';

const page = readFileSync(new URL('../../docs/formats.md', import.meta.url), 'utf8');

/** The code blocks under `<!-- name -->`, as exact bytes. */
function examples(name: string): Uint8Array[] {
  const blocks = page.matchAll(
    new RegExp(`<!-- ${name} -->\\n\`\`\`(?:json)?\\n([^]*?)\\n\`\`\``, 'g'),
  );
  return [...blocks].map(([, text]) => utf8(text!));
}

const only = (name: string) => examples(name)[0]!;
const entries = examples('entry');
const release = parseEntry(entries[1]!) as { known: true; entry: EntryOf<'release'> };

describe('the examples of docs/formats.md', () => {
  test('are five entries of one log, and a record where the release entry says', () => {
    expect(
      entries.map((bytes) => parseEntry(bytes)).map((it) => (it.known ? it.entry.kind : it.kind)),
    ).toEqual(['namespace', 'release', 'hashedrekord', 'advisory', 'heads']);
    expect(() => parseHashedRekord(entries[2]!)).not.toThrow();
    expect(formatHex(leafHash(nodeHost, entries[2]!))).toBe(release.entry.record);
  });

  test('the manifest has the digest that the release entry names', () => {
    expect(parseManifest(only('manifest')).release).toBe(release.entry.release);
    expect(digestOf(nodeHost, only('manifest'))).toBe(release.entry.digest);
  });

  test('the policy has the digest that the namespace entry names', () => {
    const entry = parseEntry(entries[0]!) as { known: true; entry: EntryOf<'namespace'> };
    expect(parsePolicy(only('policy')).namespace).toBe('acme');
    expect(digestOf(nodeHost, only('policy'))).toBe(entry.entry.policy);
  });

  test('the decision is a withdrawal, by somebody who saw the checkpoint of the proof', () => {
    const { checkpoint: seen, ...said } = parseDecision(only('decision')).context;
    const proof = parseTlogProof(utf8(`${new TextDecoder().decode(only('proof'))}\n`));
    const { size, root } = parseCheckpoint(parseNote(proof.checkpoint).text);
    expect(seen).toEqual({ size, root: formatDigest(root) });
    expect(said.release).toBe('acme/tiny@v2');
  });

  test('the head is the heads entry’s only leaf', () => {
    const entry = parseEntry(entries[4]!) as { known: true; entry: EntryOf<'heads'> };
    expect(parseHead(only('head')).namespace).toBe('acme');
    expect(formatHex(headLeaf(nodeHost, only('head')))).toBe(digestHex(entry.entry.root));
  });

  test('the proof leads from the release entry to its checkpoint', () => {
    const proof = parseTlogProof(utf8(`${new TextDecoder().decode(only('proof'))}\n`));
    const { size, root } = parseCheckpoint(parseNote(proof.checkpoint).text);
    const claim = {
      index: proof.index,
      size,
      root,
      proof: proof.hashes,
      leafHash: leafHash(nodeHost, entries[1]!),
    };
    expect(checkInclusion(nodeHost, claim)).toMatchObject({ ok: true });
  });
});
