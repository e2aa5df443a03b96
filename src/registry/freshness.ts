/**
 * Freshness: what shows a client that nothing newer about a namespace is kept from it. The
 * documents that it is made of change under the reader, one after another; what is handed
 * out must fit together, or the client would rightly refuse it.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { formatHex, parseUtf8 } from '../core/bytes.ts';
import { CodedError } from '../core/error.ts';
import { formatHead, headLeaf, sortedLeaves } from '../core/log/heads.ts';
import { proveInclusion } from '../core/log/merkle.ts';
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
/** Namespaces whose last answer is kept. */
const KEPT = 1_000;

/** Documents of one commit, all of them public. */
interface Snapshot {
  readonly published: Published;
  readonly heads: HeadsRecord;
  readonly namespace: NamespaceRecord;
}

export class FreshnessReader {
  readonly #parts: RegistryParts;
  readonly #namespaces: Namespaces;
  /** What was said last: it stays true while the newest heads entry waits for its witnesses. */
  readonly #last = new Map<Namespace, Freshness>();

  constructor(parts: RegistryParts, namespaces: Namespaces) {
    this.#parts = parts;
    this.#namespaces = namespaces;
  }

  async read(namespace: Namespace): Promise<Freshness> {
    const snapshot = await this.#snapshot(namespace);
    const known = this.#last.get(namespace);
    if (snapshot === undefined && known !== undefined) return known;
    if (snapshot === undefined) throw notYetPublic();
    const freshness = await this.#show(snapshot);
    this.#keep(namespace, freshness);
    return freshness;
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
    const advisories = head.advisories.map(async (index) => {
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
      advisories: await Promise.all(advisories),
    };
  }

  #keep(namespace: Namespace, freshness: Freshness): void {
    this.#last.delete(namespace);
    this.#last.set(namespace, freshness);
    const [oldest] = this.#last.keys();
    if (this.#last.size > KEPT) this.#last.delete(oldest!);
  }
}

function notYetPublic(): CodedError {
  return new CodedError(
    'overloaded',
    'the newest state of the log is not public yet; ask again shortly',
    { retryAfterSeconds: 1 },
  );
}
