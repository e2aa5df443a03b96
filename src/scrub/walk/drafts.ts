/** What is not published yet: where drafts stand, their files, and what a seal has made of them. */
import type { Digest } from '../../core/digest.ts';
import { type Draft, draftForm } from '../../registry/documents/draft.ts';
import { fileForm, isStored } from '../../registry/documents/file.ts';
import { type Form, load } from '../../registry/documents/form.ts';
import { type Key, keys, prefixes } from '../../store/keys.ts';
import { kindOf } from '../kinds.ts';
import { readManifest, walkManifest } from './log.ts';
import { statement } from './statement.ts';
import type { Walk, WalkParts } from './step.ts';

export async function* walkDrafts(parts: WalkParts): Walk {
  for await (const key of parts.store.list(prefixes.drafts())) {
    yield { key, due: { by: 'form' }, optional: true };
    if (kindOf(key) === 'draft') yield* walkDraft(parts, key);
    else if (kindOf(key) === 'draftFile') yield* walkFile(parts, key);
  }
}

/** A published one is the log's to tell. */
async function* walkDraft(parts: WalkParts, key: Key): Walk {
  const draft = await readable(parts, key, draftForm);
  if (draft === undefined || draft.state === 'published' || draft.state === 'withdrawn') return;
  for (const digest of sealsOf(draft)) {
    yield statement(digest);
    const manifest = await readManifest(parts, digest);
    if (manifest !== undefined) yield* walkManifest(manifest);
  }
}

async function* walkFile(parts: WalkParts, key: Key): Walk {
  const file = await readable(parts, key, fileForm);
  if (!isStored(file)) return;
  const { verified } = file.content;
  if (verified === undefined) return;
  const { size, sha256, chunks } = file;
  yield { key: keys.chunks(chunks.root), due: { by: 'chunks', root: chunks.root, size } };
  // Noted as read before it is bound: a seal that was killed in between binds it when it goes on.
  const due = { by: 'binding', sha256, size, chunks: chunks.root } as const;
  yield { key: keys.digest(sha256), due, optional: true };
  if (verified.tensors !== undefined) yield statement(verified.tensors);
}

/** The digest that is sealed; former ones are only named, and nobody reads them any more. */
function sealsOf(draft: Draft): readonly Digest[] {
  return 'digest' in draft ? [draft.digest] : [];
}

/** Undefined where it is gone or damaged, which is told of it by itself. */
async function readable<T>({ store, pace }: WalkParts, key: Key, form: Form<T>) {
  await pace.request();
  return (await load(store, key, form).catch(() => undefined))?.value;
}
