/**
 * Heads: the state of every namespace at one point of the log, so that a client can tell
 * that nothing was kept from it.
 *
 * A namespace's *head* is canonical JSON
 *
 *     {advisories: [index …], namespace, policy: index, releases: {name: newest index}, v: 1}
 *
 * and a `heads` entry carries the RFC 6962 root over the heads of all namespaces, sorted by
 * name. A client that holds the newest heads entry (with its inclusion proof), one head and
 * the path from that head to the root knows every advisory and the newest release of the
 * namespace as of that entry's time.
 */
import * as v from 'valibot';
import { type Digest, formatDigest } from '../digest.ts';
import { CodedError } from '../error.ts';
import type { Host } from '../host.ts';
import { formatCanonical, parseCanonical } from '../json.ts';
import { parseModelName, parseNamespace } from '../release/name.ts';
import { count, parseShape, record } from '../shape.ts';
import { leafHash, rootOfLeaves } from './merkle.ts';

const HEAD_LIMITS = { maxBytes: 16 * 2 ** 20, maxDepth: 4 };

/** The shape of a head, also where one stands inside another document. */
export const headSchema = v.strictObject({
  v: v.literal(1),
  namespace: v.string(),
  policy: count,
  releases: record(count),
  advisories: v.array(count),
});

export type Head = v.InferOutput<typeof headSchema>;

/** Canonical bytes of a head: one leaf of the heads tree. */
export function formatHead(head: Head): Uint8Array {
  const bytes = formatCanonical(head);
  parseHead(bytes);
  return bytes;
}

/** Parses a head. Throws `bad-json`, `bad-document`, `bad-name`. */
export function parseHead(bytes: Uint8Array): Head {
  const head = parseShape(
    headSchema,
    parseCanonical(bytes, 'the namespace head', HEAD_LIMITS),
    'the namespace head',
  );
  parseNamespace(head.namespace);
  for (const name of Object.keys(head.releases)) parseModelName(name);
  if (head.advisories.some((index, i) => i > 0 && head.advisories[i - 1]! >= index)) {
    throw new CodedError('bad-document', 'the namespace head: advisories are not in order');
  }
  return head;
}

/** Leaf hash of a head. */
export function headLeaf(host: Host, head: Uint8Array): Uint8Array {
  return leafHash(host, head);
}

/** Root over leaf hashes by namespace. */
export function headsRoot(host: Host, leaves: ReadonlyMap<string, Uint8Array>): Digest {
  return formatDigest(rootOfLeaves(host, sortedLeaves(leaves)));
}

/** The leaf hashes in the order of the heads tree: by namespace, which is ASCII. */
export function sortedLeaves(leaves: ReadonlyMap<string, Uint8Array>): Uint8Array[] {
  return [...leaves.keys()].sort().map((namespace) => leaves.get(namespace)!);
}
