/**
 * The heads entry: at the end of each commit that changes a namespace, and when the newest
 * one grows old, the log says what the state of all namespaces is (`core/log/heads.ts`). It
 * is part of the same commit, so there is no moment at which a release is logged and the
 * newest heads entry does not know it.
 */
import { formatHex, parseHex } from '../core/bytes.ts';
import type { Host } from '../core/host.ts';
import { formatEntry } from '../core/log/entry.ts';
import { formatHead, headLeaf, headsRoot } from '../core/log/heads.ts';
import { type Namespace, parseNamespace } from '../core/release/name.ts';
import type { Closing, Item, View } from '../log/item.ts';
import { type Key, keys, prefixes } from '../store/keys.ts';
import { type HeadsRecord, headsForm } from './documents/heads.ts';
import { type NamespaceRecord, namespaceForm } from './documents/namespace.ts';

/**
 * Milliseconds after which a heads entry is renewed at the next occasion. The log gives an
 * occasion after ten minutes without entries (`DEFAULT_MAX_IDLE`), so that together there is
 * one at least every 15 minutes.
 */
export const HEADS_DUE_AFTER = 5 * 60_000;

/** The sequencer's `closing`. */
export function closeWithHeads(host: Host, dueAfter = HEADS_DUE_AFTER): Closing {
  return async (view, changed) => {
    const newest = await readHeads(view);
    const namespaces = [...changed].flatMap(namespaceOfKey);
    if (namespaces.length === 0 && !isDue(newest, view.time, dueAfter)) return undefined;
    const leaves = { ...newest?.leaves };
    for (const namespace of namespaces) {
      leaves[namespace] = formatHex(leafOf(host, await readNamespace(view, namespace)));
    }
    return headsItem(host, view, leaves);
  };
}

/** Leaf hash of the namespace's head. */
export function leafOf(host: Host, { head }: NamespaceRecord): Uint8Array {
  return headLeaf(host, formatHead(head));
}

/** The leaf hashes of the heads tree, by namespace. */
export function leavesOf({ leaves }: HeadsRecord): Map<string, Uint8Array> {
  return new Map(Object.entries(leaves).map(([name, leaf]) => [name, parseHex(leaf)]));
}

function headsItem(host: Host, view: View, leaves: HeadsRecord['leaves']): Item {
  const { index } = view;
  const time = new Date(view.time).toISOString();
  const root = headsRoot(host, leavesOf({ v: 1, index, time, leaves }));
  const namespaces = Object.keys(leaves).length;
  const bytes = headsForm.format({ v: 1, index, time, leaves });
  return {
    entries: [formatEntry({ v: 1, kind: 'heads', time, root, namespaces })],
    documents: async () => [{ kind: 'newest', key: keys.heads(), index, bytes }],
  };
}

function isDue(newest: HeadsRecord | undefined, now: number, dueAfter: number): boolean {
  return newest === undefined || now - Date.parse(newest.time) >= dueAfter;
}

async function readHeads(view: View): Promise<HeadsRecord | undefined> {
  const bytes = await view.document(keys.heads());
  return bytes && headsForm.parse(bytes);
}

async function readNamespace(view: View, namespace: Namespace): Promise<NamespaceRecord> {
  return namespaceForm.parse((await view.document(keys.namespace(namespace)))!);
}

/** The namespace whose document lies at `key`, if one's does. */
function namespaceOfKey(key: Key): Namespace[] {
  const prefix = prefixes.namespaces();
  return key.startsWith(prefix) ? [parseNamespace(key.slice(prefix.length))] : [];
}
