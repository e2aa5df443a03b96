/** Puts the use cases together. */
import type { ReleaseName } from '../core/release/name.ts';
import { TAKING_PART } from '../core/release/roles.ts';
import { prefixes } from '../store/keys.ts';
import { requireDraftReader, requireRole } from './access.ts';
import { Advisories } from './advise.ts';
import { Artifacts } from './artifacts.ts';
import { Chores } from './chores.ts';
import { Commitments } from './commitments.ts';
import { Decisions } from './decide.ts';
import type { Draft } from './documents/draft.ts';
import { openDrafts } from './draft-list.ts';
import { Drafts } from './drafts.ts';
import { Files } from './files.ts';
import { FreshnessReader } from './freshness.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { Namespaces } from './namespaces.ts';
import type { RegistryParts } from './parts.ts';
import { PolicyBook } from './policy-book.ts';
import { PolicyChanges } from './policy-change.ts';
import { PublicWords } from './public-words.ts';
import { Publishing } from './publish.ts';
import { Quotas } from './quotas.ts';
import { Readers } from './readers.ts';
import { Recovery } from './recovery.ts';
import type { Caller, Registry } from './registry.ts';
import { RegistrySeals } from './registry-seal.ts';
import { Releases } from './releases.ts';
import { Reports } from './reports.ts';
import { Seals } from './seal.ts';
import { Statements } from './statements.ts';
import { Admissions } from './trusted-publishers.ts';
import { Uploads } from './uploads.ts';

/** Documents of published releases that stay in memory, in bytes. */
const KEPT_BYTES = 64 * 2 ** 20;

/** The registry over `parts`. Whoever opens it calls `recover` before it answers anybody. */
export function openRegistry(parts: RegistryParts): Registry {
  const chores = new Chores();
  const book = new PolicyBook(parts);
  const namespaces = new Namespaces(parts, book);
  const gatekeeper = new Gatekeeper(parts, book);
  const commitments = new Commitments(parts);
  const seals = new RegistrySeals(parts, { book, gatekeeper, commitments, chores });
  const quotas = new Quotas(parts, chores);
  const drafts = new Drafts(parts, {
    ...{ namespaces, book, gatekeeper, quotas },
    onWithdrawn: (release) => {
      chores.begin(() => files.dropAll(release));
      quotas.settle(release);
    },
  });
  const uploads = new Uploads(parts, chores);
  const readers = new Readers(parts, book);
  const files = new Files(parts, { drafts, uploads, quotas, readers });
  const published = new Statements(parts, KEPT_BYTES);
  const releases = new Releases(parts, published, readers);
  const sealing = new Seals(parts, {
    ...{ drafts, files, uploads, namespaces, chores, seals, releases },
  });
  const publishing = new Publishing(parts, { drafts, book, gatekeeper, seals, chores });
  const recovery = new Recovery({
    store: parts.store,
    begun: [
      { markers: prefixes.intents(), resume: (marker) => publishing.resume(marker) },
      { markers: prefixes.unlogged(), resume: (marker) => seals.resume(marker) },
    ],
    onUnfinished: parts.onUnfinished,
  });
  const artifacts = new Artifacts(parts, releases, published);
  const advisories = new Advisories(parts, namespaces, releases, book);
  const reports = new Reports(parts, drafts, releases);
  const rooms = { drafts, namespaces, book, gatekeeper, seals, reports };
  const decisions = new Decisions(parts, rooms);
  const policies = new PolicyChanges(parts, namespaces, book);
  const words = new PublicWords(parts, namespaces, book);
  const freshness = new FreshnessReader(parts, namespaces);
  const admissions = new Admissions(parts, chores);
  const status = async (caller: Caller, release: ReleaseName, draft: Draft) => {
    // A seal that a failure left unlogged. If it cannot be logged now, the gate says that it lacks.
    await seals.finish(draft).catch(() => {});
    if (draft.state !== 'draft') return drafts.status(caller, draft, undefined);
    const progress = await sealing.progress(release);
    // No seal is on its way, perhaps since a moment ago: then the draft of now says what came of it.
    const now = progress === undefined ? await drafts.get(release) : draft;
    return drafts.status(caller, now, progress);
  };

  return {
    openDraft: async (caller, release, plan) =>
      status(caller, release, await drafts.open(caller, release, plan)),
    draftStatus: async (caller, release) => {
      requireDraftReader(caller, release);
      return status(caller, release, await drafts.get(release));
    },
    drafts: async (caller, namespace) => {
      requireRole(caller, namespace, TAKING_PART);
      return openDrafts(parts.store, namespace);
    },
    declareFile: (caller, release, file) => files.declare(caller, release, file),
    putPart: (caller, release, part, body) => files.putPart(caller, release, part, body),
    signParts: (caller, release, upload, parts) => files.signParts(caller, release, upload, parts),
    noteParts: (caller, release, upload, parts) => files.noteParts(caller, release, upload, parts),
    completeUpload: async (caller, release, upload) => {
      const file = await files.complete(caller, release, upload);
      chores.begin(() => sealing.readAhead(release, file));
    },
    seal: async (caller, release, request) => {
      await sealing.begin(caller, release, request);
      return status(caller, release, await drafts.get(release));
    },
    draftManifest: (caller, release) => drafts.manifest(caller, release),
    withdraw: async (caller, release) =>
      status(caller, release, await drafts.withdraw(caller, release)),
    publish: async (caller, release, digest, intent) => {
      const published = await publishing.publish(caller, release, digest, intent);
      quotas.settle(release);
      return published;
    },

    commit: (caller, commitment) => commitments.commit(caller, commitment),
    decide: (caller, release, disclosure) => decisions.decide(caller, release, disclosure),
    decisions: (caller, release) => decisions.list(caller, release),
    draftReport: (caller, release, digest) => decisions.report(caller, release, digest),
    revealed: (release) => decisions.revealed(release),
    putReport: (caller, release, body) => reports.put(caller, release, body),
    report: (release, digest) => reports.get(release, digest),
    setPolicy: (caller, change) => policies.set(caller, change),
    policies: (namespace) => policies.list(namespace),
    announce: (caller, envelope) => words.announce(caller, envelope),
    announcement: (index) => words.announcement(index),
    voidLabel: (caller, request) => words.voidLabel(caller, request),
    voided: (index) => words.voided(index),

    usage: async (caller, namespace) => {
      requireRole(caller, namespace, TAKING_PART);
      return quotas.usage(namespace);
    },
    createNamespace: (caller, request) => namespaces.create(caller, request),
    policy: (namespace, index) => namespaces.policy(namespace, index),
    lookAlike: (namespace) => namespaces.lookAlike(namespace),
    advise: (caller, envelope) => advisories.advise(caller, envelope),
    advisory: (index) => advisories.get(index),
    admitIdentity: (namespace, identity) => admissions.admit(namespace, identity),
    trustsGrant: (namespace, grant) => admissions.trusts(namespace, grant),

    release: (release) => releases.describe(release),
    revision: (model, revision) => releases.byRevision(model, revision),
    document: (release, document) => releases.document(release, document),
    largeDocument: (release, document) => releases.largeDocument(release, document),
    chunkList: (release, path) => releases.chunkList(release, path),
    content: (release, path, who) => releases.content(release, path, who),
    contentToDescribe: (release, path) => releases.contentToDescribe(release, path),
    restriction: (namespace) => readers.restriction(namespace),
    freshness: (namespace) => freshness.read(namespace),
    artifacts: (release) => artifacts.of(release),
    artifactObject: (model, digest) => artifacts.object(model, digest),

    recover: () => recovery.run(),
    close: async () => {
      recovery.close();
      await sealing.close();
      await chores.settle();
      await quotas.close();
    },
  };
}
