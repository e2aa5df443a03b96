/** Puts the use cases together. */
import { CodedError } from '../core/error.ts';
import type { ReleaseName } from '../core/release/name.ts';
import { requireDraftReader } from './access.ts';
import { Advisories } from './advise.ts';
import { Chores } from './chores.ts';
import type { Draft } from './documents/draft.ts';
import { Drafts } from './drafts.ts';
import { Files } from './files.ts';
import { FreshnessReader } from './freshness.ts';
import { Namespaces } from './namespaces.ts';
import type { RegistryParts } from './parts.ts';
import { Publishing } from './publish.ts';
import type { Caller, Registry } from './registry.ts';
import { Releases } from './releases.ts';
import { Seals } from './seal.ts';
import { Admissions } from './trusted-publishers.ts';
import { Uploads } from './uploads.ts';

/** The registry over `parts`. Whoever opens it calls `recover` before it answers anybody. */
export function openRegistry(parts: RegistryParts): Registry {
  const chores = new Chores();
  const namespaces = new Namespaces(parts);
  const drafts = new Drafts(parts, namespaces);
  const uploads = new Uploads(parts, chores);
  const files = new Files(parts, drafts, uploads);
  const seals = new Seals(parts, { drafts, files, uploads, namespaces, chores });
  const publishing = new Publishing(parts, drafts, namespaces, chores);
  const releases = new Releases(parts);
  const advisories = new Advisories(parts, namespaces, releases);
  const freshness = new FreshnessReader(parts, namespaces);
  const admissions = new Admissions(parts, chores);
  const status = (caller: Caller, release: ReleaseName, draft: Draft) =>
    drafts.status(caller, draft, seals.progress(release));

  return {
    openDraft: async (caller, release) =>
      status(caller, release, await drafts.open(caller, release)),
    draftStatus: async (caller, release) => {
      requireDraftReader(caller, release);
      return status(caller, release, await drafts.get(release));
    },
    declareFile: (caller, release, file) => files.declare(caller, release, file),
    putPart: (caller, release, part, body) => files.putPart(caller, release, part, body),
    completeUpload: async (caller, release, upload) => {
      const file = await files.complete(caller, release, upload);
      chores.begin(() => seals.readAhead(release, file));
    },
    seal: async (caller, release, request) => {
      await seals.begin(caller, release, request);
      return status(caller, release, await drafts.get(release));
    },
    draftManifest: (caller, release) => drafts.manifest(caller, release),
    withdraw: async (caller, release) => {
      const draft = await drafts.withdraw(caller, release);
      chores.begin(() => files.abandonUploads(release));
      return status(caller, release, draft);
    },
    publish: (caller, release, digest) => publishing.publish(caller, release, digest),

    commit: unbuilt,
    decide: unbuilt,
    decisions: unbuilt,
    putReport: unbuilt,
    setPolicy: unbuilt,
    policies: unbuilt,
    announce: unbuilt,
    announcement: unbuilt,
    voidLabel: unbuilt,
    voided: unbuilt,
    report: unbuilt,

    createNamespace: (caller, request) => namespaces.create(caller, request),
    policy: (namespace, index) => namespaces.policy(namespace, index),
    advise: (caller, envelope) => advisories.advise(caller, envelope),
    advisory: (index) => advisories.get(index),
    admitIdentity: (namespace, identity) => admissions.admit(namespace, identity),

    release: (release) => releases.describe(release),
    document: (release, document) => releases.document(release, document),
    chunkList: (release, path) => releases.chunkList(release, path),
    content: (release, path) => releases.content(release, path),
    freshness: (namespace) => freshness.read(namespace),

    recover: () => publishing.recover(),
    close: async () => {
      await seals.close();
      await chores.settle();
    },
  };
}

async function unbuilt(): Promise<never> {
  throw new CodedError('internal', 'the release gate is not built yet');
}
