/**
 * A registry as signers see it, over a made log, and the means to decide at it. Honest unless a
 * test says otherwise, and killed at whichever step a test names.
 */
import type { Desk, Means, ShownDraft, ShownLog } from '../../src/client/decide/desk.ts';
import type { Receipt, ReceiptStore } from '../../src/client/receipts.ts';
import { formatHex } from '../../src/core/bytes.ts';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { CodedError } from '../../src/core/error.ts';
import { type Origin, parseCheckpoint } from '../../src/core/log/checkpoint.ts';
import { leafHash, proveInclusion } from '../../src/core/log/merkle.ts';
import { parseNote } from '../../src/core/note/note.ts';
import { chunkRoot, chunkSizeFor } from '../../src/core/release/chunks.ts';
import type { Commitment } from '../../src/core/release/commitment.ts';
import { formatManifest } from '../../src/core/release/manifest.ts';
import { parseReleaseName } from '../../src/core/release/name.ts';
import type { Spki } from '../../src/core/statement/public-key.ts';
import { nodeHost } from '../../src/hashing/host.ts';
import { ORIGIN } from './model-signature.ts';
import { BEGIN, MadeRegistry } from './registry.ts';

export const RELEASE = parseReleaseName('acme/kimi-k2@v1.0');

export class MadeDesk implements Desk {
  readonly origin = ORIGIN as Origin;
  readonly made = new MadeRegistry();
  readonly committed = new Map<string, { readonly index: number; readonly commit: string }>();
  readonly opened = new Map<string, { index: number; label: string; envelope: Uint8Array }>();
  /** The revision that is sealed. */
  revision = 1;
  /** Called before each request, by its name; throws what the request is to end with. */
  before: (request: string) => void = () => {};
  /** Called after the request was done, before its answer is there. */
  after: (request: string) => void = () => {};

  async draft(): Promise<ShownDraft> {
    this.before('draft');
    const opened = new Set(this.opened.keys());
    const waiting = [...this.committed].filter(([label]) => !opened.has(label));
    return {
      digest: this.sealed,
      revision: this.revision,
      decisions: [...this.opened.values()],
      unopened: waiting.map(([label, { index }]) => ({ index, label })),
      voids: [],
    };
  }

  get sealed(): Digest {
    return digestOf(nodeHost, this.#manifest());
  }

  async manifest(): Promise<Uint8Array> {
    return this.#manifest();
  }

  async log(): Promise<ShownLog> {
    const { entries } = this.made;
    const note = this.made.checkpoint();
    const { size, root } = parseCheckpoint(parseNote(note).text);
    const leaves = entries.slice(0, size).map((entry) => leafHash(nodeHost, entry));
    return {
      size,
      root,
      note,
      entry: async (index) => entries[index]!,
      proveInclusion: async (index) => proveInclusion(nodeHost, leaves, index),
    };
  }

  async commit({ label, commit }: Commitment): Promise<number> {
    this.before('commit');
    const there = this.committed.get(label);
    if (there !== undefined && there.commit !== commit) {
      throw new CodedError('conflict', 'there is another commitment with that label');
    }
    const index = there?.index ?? this.made.log({ kind: 'commitment', label, commit } as never);
    this.committed.set(label, { index, commit });
    this.after('commit');
    return index;
  }

  async record(
    _release: unknown,
    { index, envelope }: { readonly index: number; readonly envelope: Uint8Array },
  ) {
    this.before('record');
    const [label] = [...this.committed].find(([, each]) => each.index === index)!;
    this.opened.set(label, { index, label, envelope });
    this.after('record');
    return { index, digest: digestOf(nodeHost, envelope) };
  }

  #manifest(): Uint8Array {
    const former = Array.from({ length: this.revision - 1 }, (_, i) =>
      digestOf(nodeHost, new Uint8Array([i])),
    );
    return formatManifest({
      v: 1,
      origin: ORIGIN,
      release: 'acme/kimi-k2@v1.0',
      draft: { revision: this.revision, former, nonce: '00'.repeat(32) },
      files: [
        {
          path: 'notes.txt',
          size: 0,
          sha256: digestOf(nodeHost, new Uint8Array()),
          format: 'other',
          chunks: { size: chunkSizeFor(0), root: chunkRoot(nodeHost, new Uint8Array()) },
        },
      ],
      size: 0,
    });
  }
}

/** Receipts in memory, which `before` may kill. */
export class MadeReceipts implements ReceiptStore {
  readonly kept = new Map<string, Receipt>();
  before: (step: string) => void = () => {};
  after: (step: string) => void = () => {};

  async all(): Promise<readonly Receipt[]> {
    return [...this.kept.values()];
  }

  async add(receipt: Receipt): Promise<boolean> {
    this.before('add');
    if (this.kept.has(receipt.label)) return false;
    this.kept.set(receipt.label, receipt);
    this.after('add');
    return true;
  }

  async save(receipt: Receipt): Promise<void> {
    this.before('save');
    this.kept.set(receipt.label, receipt);
    this.after('save');
  }
}

/** Means to decide at `desk`. */
export function meansAt(desk: MadeDesk, receipts = new MadeReceipts()): Means {
  let drawn = 0;
  const random = () => formatHex(nodeHost.sha256(new Uint8Array([drawn++, Math.random() * 256])));
  const clock = () => BEGIN + 1000;
  return { host: nodeHost, desk, receipts, clock, random, pause: async () => {} };
}

export const signerOf = (key: { spki: Spki; sign(bytes: Uint8Array): Uint8Array }) => ({
  spki: key.spki,
  sign: async (bytes: Uint8Array) => key.sign(bytes),
});
