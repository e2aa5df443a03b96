/**
 * Documents that change with the log, made again by replaying it: what they held is what the
 * entries say. What cannot be told for certain is left to a backup.
 */

import { formatHex } from '../../core/bytes.ts';
import type { Entry } from '../../core/log/entry.ts';
import { beginHead, growHead, namespaceOfEntry } from '../../core/log/grow-head.ts';
import { headsRoot } from '../../core/log/heads.ts';
import { type Namespace, parseNamespace } from '../../core/release/name.ts';
import { load } from '../../registry/documents/form.ts';
import { headsForm } from '../../registry/documents/heads.ts';
import { type NamespaceRecord, namespaceForm } from '../../registry/documents/namespace.ts';
import { rootsForm } from '../../registry/documents/roots.ts';
import { leafOf, leavesOf } from '../../registry/heads.ts';
import { type Key, keys } from '../../store/keys.ts';
import type { CheckParts } from '../check/parts.ts';
import { entriesOf } from './places.ts';

type Parts = Pick<CheckParts, 'store' | 'host' | 'log'>;

/** The document at `key` as the log makes it, or undefined. */
export function rebuild(parts: Parts, key: Key): Promise<Uint8Array | undefined> {
  if (key === keys.heads()) return rebuildHeads(parts);
  if (key === keys.roots()) return rebuildRoots(parts);
  return rebuildNamespace(parts, parseNamespace(key.slice('namespaces/'.length)));
}

async function rebuildNamespace(
  parts: Parts,
  namespace: Namespace,
): Promise<Uint8Array | undefined> {
  let record: NamespaceRecord | undefined;
  for await (const { entry, index } of entriesOf(parts)) {
    if (namespaceOfEntry(entry) === namespace) record = grown(record, entry, index, namespace);
  }
  return record && namespaceForm.format(record);
}

function grown(
  before: NamespaceRecord | undefined,
  entry: Entry,
  index: number,
  namespace: Namespace,
): NamespaceRecord | undefined {
  if (entry.kind === 'namespace') {
    const head = beginHead(namespace, index);
    return { v: 1, index, head, policies: [policyOf(entry, index)], statements: [] };
  }
  if (before === undefined) return undefined;
  const next = { ...before, index, head: growHead(before.head, entry, index) };
  if (entry.kind === 'policy') {
    return { ...next, policies: [...before.policies, policyOf(entry, index)] };
  }
  if (entry.kind !== 'advisory') return next;
  const count = before.advised?.[entry.release] ?? 0;
  return {
    ...next,
    statements: [...before.statements, entry.statement],
    advised: { ...before.advised, [entry.release]: count + 1 },
  };
}

function policyOf(
  { time, policy, signed }: Extract<Entry, { kind: 'namespace' | 'policy' }>,
  index: number,
) {
  return { index, time, digest: policy, signed };
}

/** Only when the namespaces are still those of the newest heads entry. */
async function rebuildHeads(parts: Parts): Promise<Uint8Array | undefined> {
  const leaves: Record<string, string> = {};
  let newest: { readonly index: number; readonly time: string; readonly root: string } | undefined;
  for await (const { entry, index } of entriesOf(parts)) {
    if (entry.kind === 'heads') newest = { index, time: entry.time, root: entry.root };
    if (entry.kind === 'namespace') leaves[entry.namespace] = '';
  }
  if (newest === undefined) return undefined;
  for (const name of Object.keys(leaves)) {
    const key = keys.namespace(parseNamespace(name));
    const held = await load(parts.store, key, namespaceForm).catch(() => undefined);
    if (held === undefined) return undefined;
    leaves[name] = formatHex(leafOf(parts.host, held.value));
  }
  const { index, time, root } = newest;
  const record = { v: 1, index, time, leaves } as const;
  return headsRoot(parts.host, leavesOf(record)) === root ? headsForm.format(record) : undefined;
}

async function rebuildRoots(parts: Parts): Promise<Uint8Array | undefined> {
  const logged: number[] = [];
  for await (const { entry, index } of entriesOf(parts)) {
    if (entry.kind === 'root' && entry.version === logged.length + 2) logged.push(index);
  }
  const index = logged.at(-1);
  return index === undefined ? undefined : rootsForm.format({ v: 1, index, logged });
}
