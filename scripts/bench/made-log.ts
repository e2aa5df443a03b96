/**
 * A log of many entries as static files, made without a registry: for what only reads logs.
 * Of four entries one is a release, one its record, one heads and one a commitment. They have
 * the right form and name nothing that exists.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { utf8 } from '../../src/core/bytes.ts';
import { parseDigest } from '../../src/core/digest.ts';
import { parseOrigin, signCheckpoint } from '../../src/core/log/checkpoint.ts';
import { formatEntry } from '../../src/core/log/entry.ts';
import { emptyEdge, grow } from '../../src/core/log/tree.ts';
import { signingKey } from '../../src/core/note/key.ts';
import { noteSigner } from '../../src/core/note/note.ts';
import { nodeHost } from '../../src/hashing/host.ts';

const ORIGIN = parseOrigin('bench.example');
/** Entries that are appended at once: whole bundles. */
const BATCH = 100 * 256;
const TIME = '2026-01-31T12:00:00.000Z';
/** Bytes of a hashedrekord, about. */
const RECORD = utf8(`{"kind":"hashedrekord","spec":"${'x'.repeat(420)}"}`);

/** The folder with `log/checkpoint` and `log/tile/…` of `size` entries; made once. */
export function madeLog(folder: string, size: number): string {
  const directory = join(folder, `log-${size}`);
  if (existsSync(directory)) return directory;
  const growing = `${directory}.growing`;
  let edge = emptyEdge(nodeHost);
  while (edge.size < size) {
    const count = Math.min(BATCH, size - edge.size);
    const first = edge.size;
    const entries = Array.from({ length: count }, (_, i) => madeEntry(first + i));
    const growth = grow(nodeHost, edge, entries);
    for (const { path, bytes } of growth.files) write(join(growing, 'log', path), bytes);
    edge = growth.edge;
  }
  const key = signingKey(nodeHost, ORIGIN, new Uint8Array(32).fill(7));
  const note = signCheckpoint({ origin: ORIGIN, ...edge }, [noteSigner(key)]);
  write(join(growing, 'log', 'checkpoint'), note);
  renameSync(growing, directory);
  return directory;
}

function madeEntry(index: number): Uint8Array {
  const hex = index.toString(16).padStart(64, '0');
  const digest = parseDigest(`sha256:${hex}`);
  const common = { v: 1, time: TIME } as const;
  switch (index % 4) {
    case 0: {
      const release = `bench/model-${index % 1000}@v${index}`;
      const named = { digest, root: digest, model_sig: digest, release_dsse: digest };
      return formatEntry({ ...common, kind: 'release', release, ...named, record: hex, policy: 0 });
    }
    case 1:
      return RECORD;
    case 2:
      return formatEntry({ ...common, kind: 'heads', root: digest, namespaces: 1 });
    default:
      return formatEntry({ ...common, kind: 'commitment', label: hex, commit: hex });
  }
}

function write(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}
