/**
 * Freshness: what shows a client that nothing newer about a namespace is kept from it. The
 * documents that it is made of change under the reader, one after another; what is handed
 * out must fit together, or the client would rightly refuse it.
 *
 * Anybody may ask, and the answer takes a proof for each advisory: it is made once for every
 * heads entry and published tree, however many ask.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { BoundedMap } from '../core/bounded-map.ts';
import { formatHex, parseUtf8 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { formatHead, headLeaf, sortedLeaves } from '../core/log/heads.ts';
import { proveInclusion } from '../core/log/merkle.ts';
import { inParallel } from '../core/parallel.ts';
import type { Namespace } from '../core/release/name.ts';
import type { Published } from '../log/reader.ts';
import { keys } from '../store/keys.ts';
import { load } from './documents/form.ts';
import { type HeadsRecord, headsForm } from './documents/heads.ts';
import type { NamespaceRecord } from './documents/namespace.ts';
import { leavesOf } from './heads.ts';
import type { Namespaces } from './namespaces.ts';
import type { RegistryParts } from './parts.ts';
import { formatProof } from './proofs.ts';
import type { Freshness } from './registry.ts';

/** Looks at documents that a commit is just replacing, and the milliseconds between them. */
const LOOKS = 20;
const BETWEEN = 25;
/** Advisories that are read and proved at the same time. */
const PARALLEL = 16;
/** Bytes of the last answers that are kept, and about what one takes besides head and advisories. */
const KEPT_BYTES = 64 * 2 ** 20;
const ANSWER_BYTES = 4 * 1024;

/** Documents of one commit, all of them public. */
interface Snapshot {
  readonly published: Published;
  readonly heads: HeadsRecord;
  readonly namespace: NamespaceRecord;
}

/** An answer, and the heads entry and tree that it is about. */
interface Kept {
  readonly moment: string;
  readonly freshness: Freshness;
}

export class FreshnessReader {
  readonly #parts: RegistryParts;
  readonly #namespaces: Namespaces;
  /** What was said last: it stays true while the newest heads entry waits for its witnesses. */
  readonly #last = new BoundedMap<Namespace, Kept>(KEPT_BYTES, bytesOf);
  /** Answers that are being made. */
  readonly #making = new Map<string, Promise<Freshness>>();

  constructor(parts: RegistryParts, namespaces: Namespaces) {
    this.#parts = parts;
    this.#namespaces = namespaces;
  }

  async read(namespace: Namespace): Promise<Freshness> {
    const snapshot = await this.#snapshot(namespace);
    const known = this.#last.get(namespace);
    if (snapshot === undefined && known !== undefined) return known.freshness;
    if (snapshot === undefined) throw notYetPublic();
    const { heads, published } = snapshot;
    const moment = `${namespace} ${heads.index} ${published.size}`;
    if (known?.moment === moment) return known.freshness;
    return this.#making.get(moment) ?? this.#make(namespace, moment, snapshot);
  }

  /** Makes the answer of one moment, for all who ask meanwhile. */
  #make(namespace: Namespace, moment: string, snapshot: Snapshot): Promise<Freshness> {
    const making = this.#show(snapshot)
      .then((freshness) => {
        const last = this.#last.get(namespace)?.freshness.index ?? 0;
        if (freshness.index >= last) this.#last.set(namespace, { moment, freshness });
        return freshness;
      })
      .finally(() => this.#making.delete(moment));
    this.#making.set(moment, making);
    return making;
  }

  /** Documents that fit together; undefined when the newest do not become public shortly. */
  async #snapshot(namespace: Namespace): Promise<Snapshot | undefined> {
    for (let look = 0; look < LOOKS; look++) {
      if (look > 0) await wait(BETWEEN);
      const snapshot = await this.#look(namespace);
      if (snapshot !== undefined) return snapshot;
    }
    return undefined;
  }

  async #look(namespace: Namespace): Promise<Snapshot | undefined> {
    const record = await this.#namespaces.get(namespace);
    const heads = await load(this.#parts.store, keys.heads(), headsForm);
    const leaf = headLeaf(this.#parts.host, formatHead(record.head));
    if (heads?.value.leaves[namespace] !== formatHex(leaf)) return undefined;
    // Read last, so that it is at least as new as what it has to cover.
    const published = await this.#parts.reader.published();
    if (heads.value.index >= published.size) return undefined;
    return { published, heads: heads.value, namespace: record };
  }

  async #show({ published, heads, namespace: { head } }: Snapshot): Promise<Freshness> {
    const { host, reader } = this.#parts;
    const names = Object.keys(heads.leaves).sort();
    const position = names.indexOf(head.namespace);
    const proofOf = async (index: number) =>
      parseUtf8(await formatProof(this.#parts, index, published));
    const advisories = await inParallel(head.advisories, PARALLEL, async (index) => {
      return { index, entry: await reader.entry(index), proof: await proofOf(index) };
    });
    return {
      index: heads.index,
      entry: await reader.entry(heads.index),
      proof: await proofOf(heads.index),
      head: formatHead(head),
      position,
      count: names.length,
      path: proveInclusion(host, sortedLeaves(leavesOf(heads)), position),
      advisories,
    };
  }
}

function bytesOf({ freshness }: Kept): number {
  const { head, advisories } = freshness;
  return advisories.reduce(
    (sum, { entry, proof }) => sum + entry.length + proof.length,
    ANSWER_BYTES + head.length,
  );
}

function notYetPublic(): CodedError {
  return new CodedError(
    'overloaded',
    'the newest state of the log is not public yet; ask again shortly',
    { retryAfterSeconds: 1 },
  );
}
