/**
 * The two leaves of a publish as the log takes them, and the guard that runs inside the commit:
 * against the very tree that the leaves will extend. Whatever was logged before wins. A hold
 * whose commitment is logged is found by its label, opened or not; so it stops the release
 * though nobody but its signer may know yet what it says.
 */
import type { Digest } from '../core/digest.ts';
import { CodedError, isCoded } from '../core/error.ts';
import type { EntryOf } from '../core/log/entry.ts';
import { growHead } from '../core/log/grow-head.ts';
import { type Namespace, parseReleaseName, type ReleaseName } from '../core/release/name.ts';
import type { Place } from '../core/release/policy-history.ts';
import { revisionOf } from '../core/release/revision.ts';
import type { Item, StagedDocument, View } from '../log/item.ts';
import { keys } from '../store/keys.ts';
import { type DraftIn, draftForm } from './documents/draft.ts';
import { type NamespaceRecord, namespaceForm } from './documents/namespace.ts';
import { type ReleaseRecord, releaseForm, revisionForm } from './documents/release.ts';
import { alreadyPublished } from './drafts.ts';
import { type Gatekeeper, gateUnmet, type Judged } from './gatekeeper.ts';
import { openSignedIntent, revealsAll } from './grounds.ts';
import { openIntent } from './intent.ts';
import type { RegistryParts } from './parts.ts';
import type { PolicyBook, Standing } from './policy-book.ts';
import { requireReleaseKey } from './release-key.ts';
import { Statements } from './statements.ts';

/** Milliseconds by which a gated release's entry may be older than its commit: what was true then is not long past. */
const MAX_AGE = 5 * 60_000;

/** What the guard asks. */
interface Rooms {
  readonly gatekeeper: Gatekeeper;
  readonly book: PolicyBook;
}

/** The item that logs what the intent in `draft` says. */
export function publishItem(
  parts: RegistryParts,
  rooms: Rooms,
  release: ReleaseName,
  draft: DraftIn<'publishing'>,
): Item {
  const { entry, bytes, spki } = openIntent(draft.intent);
  return {
    entries: bytes,
    guard: async (view) => {
      await requireIntended(view, release, draft, entry);
      await requireGate(parts, rooms, view, draft, entry);
      await requireFreeRevision(view, release, entry);
      await requireReleaseKey(parts, view, spki);
    },
    documents: (view) => documentsOf(view, release, entry),
  };
}

/** The draft's publish, brought before the gate once more for an entry at `place`. */
export async function judgeIntended(
  parts: RegistryParts,
  { gatekeeper, book }: Rooms,
  view: Pick<View, 'document'>,
  draft: DraftIn<'publishing'>,
  index: number,
  named?: Digest,
): Promise<Judged> {
  const { entry } = openIntent(draft.intent);
  const place: Place = { index, time: entry.time };
  const asked = { named, roles: draft.intent.roles };
  if (entry.intent === undefined) return gatekeeper.judge(view, draft, place, asked);
  const standing = await book.read(view, namespaceOf(entry));
  const envelope = await new Statements(parts).get(entry.intent);
  // Whose key was revoked meanwhile signs nothing any more: the gate says so.
  const opened = await openSignedIntent(parts.host, standing, place, envelope).catch((error) => {
    if (error instanceof CodedError && error.code === 'signature-invalid') return undefined;
    throw error;
  });
  const intent = opened && { intent: opened.opened };
  return gatekeeper.judge(view, draft, place, { ...asked, ...intent });
}

async function requireIntended(
  view: View,
  release: ReleaseName,
  draft: DraftIn<'publishing'>,
  entry: EntryOf<'release'>,
): Promise<void> {
  if ((await view.document(keys.release(release))) !== undefined) {
    throw alreadyPublished(entry.release);
  }
  const current = draftForm.parse((await view.document(keys.draft(release)))!);
  if (current.state === 'publishing' && current.intent.entry === draft.intent.entry) return;
  throw new CodedError('conflict', `${entry.release} is no longer sealed as it was`);
}

async function requireGate(
  parts: RegistryParts,
  rooms: Rooms,
  view: View,
  draft: DraftIn<'publishing'>,
  entry: EntryOf<'release'>,
): Promise<void> {
  const judged = await judgeIntended(parts, rooms, view, draft, view.index, entry.digest);
  const { verdict, policy, standing, docket } = judged;
  if (policy.index !== entry.policy) {
    throw overtaken(standing, `the policy of ${namespaceOf(entry)} changed; publish again`);
  }
  if (!verdict.ok) throw gateUnmet(verdict.missing);
  if (!standing.gated) return;
  const age = view.time - Date.parse(entry.time);
  if (age < 0 || age > MAX_AGE) {
    throw overtaken(standing, `the intent to publish is of ${entry.time}; publish again`);
  }
  if (await revealsAll(new Statements(parts), entry.decisions, docket)) return;
  throw overtaken(standing, `something was decided about ${entry.release} meanwhile`);
}

/** With a new intent the publish may be tried again, at once where decisions come and go. */
function overtaken({ gated }: Standing, why: string): CodedError {
  return new CodedError('conflict', why, { again: gated });
}

/** Did the guard refuse what a new intent may settle? */
export function isOvertaken(error: unknown): boolean {
  return isCoded(error, 'conflict') && error.details.again === true;
}

function namespaceOf({ release }: EntryOf<'release'>): Namespace {
  return parseReleaseName(release).namespace;
}

async function documentsOf(
  view: View,
  release: ReleaseName,
  entry: EntryOf<'release'>,
): Promise<StagedDocument[]> {
  const { index } = view;
  const { kind: _, ...said } = entry;
  const published: ReleaseRecord = { ...said, index };
  const before = await readNamespace(view, release);
  const after = { ...before, index, head: growHead(before.head, entry, index) };
  const { digest } = entry;
  return [
    { kind: 'immutable', key: keys.release(release), bytes: releaseForm.format(published) },
    {
      kind: 'immutable',
      key: keys.revision(release, revisionOf(digest)),
      bytes: revisionForm.format({ v: 1, release: entry.release, digest }),
    },
    {
      kind: 'newest',
      key: keys.namespace(release.namespace),
      index,
      bytes: namespaceForm.format(after),
    },
  ];
}

async function readNamespace(view: View, release: ReleaseName): Promise<NamespaceRecord> {
  return namespaceForm.parse((await view.document(keys.namespace(release.namespace)))!);
}

/** The first 40 digits of a digest are a revision to Hugging Face clients: it must mean one release. */
async function requireFreeRevision(
  view: View,
  release: ReleaseName,
  { digest }: EntryOf<'release'>,
): Promise<void> {
  if ((await view.document(keys.revision(release, revisionOf(digest)))) === undefined) return;
  throw new CodedError(
    'conflict',
    `${digest} begins like the digest of another release; push anew`,
  );
}
