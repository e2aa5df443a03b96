/**
 * A new version of the trust root enters the log: its entry and the document `root/<n>` in one
 * commit, so that no version is shown that the log does not have.
 *
 * The root is composed, or finished elsewhere, for one place in the log. The guard looks at
 * that place once more, inside the commit: what a version ends must not have gone on beyond it.
 */

import { digestOf, formatDigest } from '../core/digest.ts';
import { CodedError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import type { TreeHead } from '../core/log/checkpoint.ts';
import { formatEntry, parseEntry } from '../core/log/entry.ts';
import type { RootDocument } from '../core/trust/root.ts';
import { checkRoot, type TrustRoot } from '../core/trust/succession.ts';
import type { Item, View } from '../log/item.ts';
import type { LogReader } from '../log/reader.ts';
import type { Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import { load } from './documents/form.ts';
import { rootsForm } from './documents/roots.ts';

export interface NewRoot {
  readonly host: Host;
  /** The newest version so far. */
  readonly before: TrustRoot;
  /** root.json for a log that has grown to `head`; the time is the attempt's. */
  readonly compose: (head: TreeHead, time: number) => Promise<Uint8Array>;
  /** The tree that the item would stand on. */
  readonly head: () => TreeHead;
  /** May it end a release key before what that key has signed? */
  readonly compromised: boolean;
}

/** The item that logs a root. Its guard throws `conflict`, and what makes a root untrusted. */
export function rootItem({ host, before, compose, head, compromised }: NewRoot): Item {
  const version = before.version + 1;
  let bytes: Uint8Array;
  return {
    async guard(view) {
      if ((await view.document(keys.root(version))) !== undefined) {
        throw new CodedError('conflict', `version ${version} of the trust root is there already`);
      }
      bytes = await compose(head(), view.time);
      const checked = await checkRoot(host, bytes, before);
      if (!checked.ok) throw new CodedError(checked.code, checked.message, checked.evidence);
      requireLogPlace(before, checked.root, head());
      if (!compromised) await requireNothingUndone(view, before, checked.root);
    },
    entries: async ({ time: now }) => {
      const time = new Date(now).toISOString();
      const digest = digestOf(host, bytes);
      return [formatEntry({ v: 1, kind: 'root', time, version, digest })];
    },
    async documents(view) {
      const { index } = view;
      const stored = await view.document(keys.roots());
      const logged = stored === undefined ? [] : rootsForm.parse(stored).logged;
      const roots = rootsForm.format({ v: 1, index, logged: [...logged, index] });
      return [
        { kind: 'immutable', key: keys.root(version), bytes },
        { kind: 'newest', key: keys.roots(), index, bytes: roots },
      ];
    },
  };
}

/** The newest version that everybody may see. */
export async function publicRootVersion(store: Store, reader: LogReader): Promise<number> {
  const record = await load(store, keys.roots(), rootsForm);
  if (record === undefined) return 1;
  const { size } = await reader.published();
  return 1 + record.value.logged.filter((index) => index < size).length;
}

/** A log key ends where the log is, with the root that it has there: checkpoints beyond were good. */
function requireLogPlace(before: RootDocument, next: RootDocument, head: TreeHead): void {
  if (next.log.length === before.log.length) return;
  const { end } = next.log[before.log.length - 1]!;
  if (end?.size === head.size && end.root === formatDigest(head.root)) return;
  throw new CodedError(
    'conflict',
    `the log has grown to ${head.size} entries, but the new root ends its key at ${end?.size}: stop every server, and propose it again`,
    { size: head.size, end: end?.size },
  );
}

/** What was signed with a key that the root ends must not stand at or after its end. */
async function requireNothingUndone(
  view: View,
  before: RootDocument,
  next: RootDocument,
): Promise<void> {
  for (const [i, { to: old = Infinity }] of before.release.entries()) {
    const { to = Infinity } = next.release[i]!;
    if (to >= old) continue;
    for (let index = to; index < Math.min(old, view.index); index++) {
      const parsed = parseEntry(await view.entry(index));
      const isSigned =
        parsed.known && (parsed.entry.kind === 'release' || parsed.entry.kind === 'namespace');
      if (!isSigned) continue;
      throw new CodedError(
        'conflict',
        `entry ${index} was signed with the release key that the new root ends at ${to}: propose it again, with --at for an entry to come, or with --compromised-from if that key was stolen`,
        { index, to },
      );
    }
  }
}
