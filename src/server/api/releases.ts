/** What is published: lists, one release, its documents, its history. Open to everybody. */
import type { Response } from 'express';
import { parseDigest } from '../../core/digest.ts';
import { CodedError } from '../../core/error.ts';
import { parseEntry } from '../../core/log/entry.ts';
import { claimsOf } from '../../core/release/claims.ts';
import type { DocumentName } from '../../core/release/documents.ts';
import {
  formatModel,
  formatReleaseName,
  type Model,
  parseModel,
  parseNamespace,
  parseReleaseName,
  type ReleaseName,
} from '../../core/release/name.ts';
import { type CatalogueRelease, MAX_PAGE } from '../../index/catalogue.ts';
import type { FollowingCatalogue } from '../../index/open.ts';
import type { Registry } from '../../registry/registry.ts';
import type { ContentSender } from '../content.ts';
import { type Call, type Endpoint, endpoint, param } from './endpoint.ts';
import * as shapes from './shapes.ts';

const MODEL = '/releases/{namespace}/{name}';
const RELEASE = `${MODEL}/{version}`;

/** Documents whose bytes never change once the release is published. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
/** The others carry a checkpoint, which later answers may replace with a newer one. */
const REVALIDATE = 'public, max-age=0, must-revalidate';

const DOCUMENTS: readonly {
  document: DocumentName;
  type: string;
  cache: string;
  summary: string;
}[] = [
  {
    document: 'manifest.json',
    type: 'application/json',
    cache: IMMUTABLE,
    summary: 'The release manifest; its SHA-256 is the digest',
  },
  {
    document: 'model.sig',
    type: 'application/json',
    cache: IMMUTABLE,
    summary: 'The OpenSSF model signature, a Sigstore bundle',
  },
  {
    document: 'release.dsse',
    type: 'application/json',
    cache: IMMUTABLE,
    summary: 'The signed release statement',
  },
  {
    document: 'release.tlog-proof',
    type: 'text/plain',
    cache: REVALIDATE,
    summary: 'C2SP proof that the log has the release entry',
  },
  {
    document: 'model-sig.tlog-proof',
    type: 'text/plain',
    cache: REVALIDATE,
    summary: 'C2SP proof that the log has the signature’s record',
  },
  {
    document: 'entry',
    type: 'application/json',
    cache: IMMUTABLE,
    summary: 'The exact bytes of the release entry',
  },
  {
    document: 'decisions.json',
    type: 'application/json',
    cache: IMMUTABLE,
    summary: 'The decisions that the release was published on',
  },
  {
    document: 'verdict.dsse',
    type: 'application/json',
    cache: IMMUTABLE,
    summary: 'The gate’s verdict, a signed SLSA verification summary',
  },
  {
    document: 'intent.dsse',
    type: 'application/json',
    cache: IMMUTABLE,
    summary: 'The release manager’s signed intent to publish',
  },
  {
    document: 'tensors.json',
    type: 'application/json',
    cache: IMMUTABLE,
    summary: 'The tensor inventory',
  },
];

/** Bytes of a document that is read into memory to be sent. */
export const MAX_IN_MEMORY_BYTES = 2 ** 20;

export function releaseEndpoints(
  registry: Registry,
  catalogue: FollowingCatalogue,
  sender: ContentSender,
): Endpoint[] {
  /** From the index or, while there is none, from what the namespace's head names. */
  const advisoriesOn = async ({
    release,
    digest,
  }: Pick<CatalogueRelease, 'release' | 'digest'>) => {
    if (!catalogue.isBuilding) return catalogue.release(release)?.advisories ?? [];
    const { advisories } = await registry.freshness(release.namespace);
    return advisories.flatMap(({ index, entry: bytes }) => {
      const parsed = parseEntry(bytes);
      if (!parsed.known || parsed.entry.kind !== 'advisory') return [];
      const { digest: about, advisory: kind, summary, time } = parsed.entry;
      return about === digest ? [{ index, kind, summary, time }] : [];
    });
  };
  return [
    endpoint({
      method: 'get',
      path: '/releases',
      id: 'listReleases',
      rate: 'search',
      summary: 'Published releases, newest first; `query` searches',
      token: 'none',
      query: shapes.listQuery,
      answer: shapes.releaseList,
      async run({ query, response }) {
        const limit = Math.min(query.limit ?? 100, MAX_PAGE);
        const releases = catalogue.releases({
          limit,
          ...(query.namespace === undefined ? {} : { namespace: parseNamespace(query.namespace) }),
          ...(query.query === undefined ? {} : { text: query.query }),
          ...(query.before === undefined ? {} : { before: query.before }),
        });
        publicAnswer(response);
        const last = releases.at(-1);
        return {
          releases: releases.map(shapes.showListed),
          ...(last !== undefined && releases.length === limit ? { next: last.index } : {}),
        };
      },
    }),
    endpoint({
      method: 'get',
      path: MODEL,
      id: 'model',
      summary: 'The releases of one model, newest first',
      token: 'none',
      answer: shapes.modelAnswer,
      async run(call) {
        const model = modelOf(call);
        const releases = await releasesOf(model, catalogue, MAX_PAGE);
        publicAnswer(call.response);
        return {
          model: formatModel(model),
          newest: formatReleaseName(releases[0]!.release),
          releases: releases.map(shapes.showListed),
        };
      },
    }),
    endpoint({
      method: 'get',
      path: `${MODEL}/history`,
      id: 'history',
      summary: 'Everything the log says about one model, oldest first',
      token: 'none',
      answer: shapes.history,
      async run(call) {
        publicAnswer(call.response);
        return { events: catalogue.history(modelOf(call)) };
      },
    }),
    endpoint({
      method: 'get',
      path: RELEASE,
      id: 'release',
      summary: 'One release, by version or sha256:digest',
      token: 'none',
      answer: shapes.releaseAnswer,
      async run(call) {
        const release = await publishedOf(call, catalogue);
        const found = await registry.release(release);
        if (found === undefined) throw unpublished(release);
        const bytes = await registry.restriction(release.namespace);
        publicAnswer(call.response);
        return {
          reference: formatReleaseName(found.release),
          digest: found.digest,
          index: found.index,
          time: found.time,
          state: 'published',
          size: found.manifest.size,
          files: found.manifest.files.map(({ path, size, sha256, format }) => ({
            path,
            size,
            sha256,
            format,
          })),
          executes: found.manifest.executes ?? [],
          ...claimsOf(found.manifest),
          ...(bytes === undefined ? {} : { bytes }),
          advisories: await advisoriesOn(found),
        };
      },
    }),
    ...DOCUMENTS.map(({ document, type, cache, summary }) =>
      endpoint({
        method: 'get',
        path: `${RELEASE}/${document}`,
        id: `document:${document}`,
        load: 'content',
        summary,
        token: 'none',
        produces: type,
        async run(call) {
          const release = await publishedOf(call, catalogue);
          if (document === 'manifest.json' || document === 'tensors.json') {
            const content = await registry.largeDocument(release, document);
            if (content.size > MAX_IN_MEMORY_BYTES) {
              return sender.send(call.request, call.response, content, { type });
            }
          }
          const bytes = await registry.document(release, document);
          call.response.set('Cache-Control', cache).type(type).send(Buffer.from(bytes));
        },
      }),
    ),
    endpoint({
      method: 'get',
      path: `${RELEASE}/reports/{digest}`,
      id: 'report',
      summary: 'The report of an evaluation that revealed it',
      token: 'none',
      produces: 'application/octet-stream',
      async run(call) {
        const digest = parseDigest(param(call, 'digest'), 'the report’s digest');
        const report = await registry.report(await publishedOf(call, catalogue), digest);
        call.response
          .set('Cache-Control', IMMUTABLE)
          .set('Content-Disposition', 'attachment')
          .type('application/octet-stream')
          .send(Buffer.from(report));
      },
    }),
    endpoint({
      method: 'get',
      path: `${RELEASE}/chunks/{*path}`,
      id: 'chunkList',
      rate: 'uncounted',
      summary: 'The chunk list of a file: 32 bytes a chunk',
      token: 'none',
      produces: 'application/octet-stream',
      async run(call) {
        const list = await registry.chunkList(
          await publishedOf(call, catalogue),
          param(call, 'path'),
        );
        call.response
          .set('Cache-Control', IMMUTABLE)
          .type('application/octet-stream')
          .send(Buffer.from(list));
      },
    }),
  ];
}

/** The release that the path names, by version or by digest. */
export async function publishedOf(
  call: Call<unknown, unknown>,
  catalogue: FollowingCatalogue,
): Promise<ReleaseName> {
  const version = param(call, 'version');
  const model = modelOf(call);
  if (!version.startsWith('sha256:')) return parseReleaseName(`${formatModel(model)}@${version}`);
  const digest = parseDigest(version, 'the release’s digest');
  const found = await orAfterALook(catalogue, () => catalogue.byDigest(model, digest));
  if (found === undefined)
    throw new CodedError(
      'not-found',
      `${formatModel(model)} has no release with the digest ${digest}`,
    );
  return found.release;
}

/** The releases of one model, newest first. Throws `not-found` when there is none. */
export async function releasesOf(
  model: Model,
  catalogue: FollowingCatalogue,
  limit: number,
): Promise<readonly CatalogueRelease[]> {
  const found = await orAfterALook(catalogue, () => {
    const releases = catalogue.releases({ model, limit });
    return releases.length === 0 ? undefined : releases;
  });
  if (found !== undefined) return found;
  throw new CodedError('not-found', `${formatModel(model)} has no published release`);
}

/** What is not in the index may have been published through another server just now. */
async function orAfterALook<T>(
  catalogue: FollowingCatalogue,
  find: () => T | undefined,
): Promise<T | undefined> {
  const found = find();
  if (found !== undefined) return found;
  await catalogue.catchUp();
  return find();
}

function modelOf(call: Call<unknown, unknown>): Model {
  return parseModel(`${param(call, 'namespace')}/${param(call, 'name')}`);
}

function unpublished(release: ReleaseName): CodedError {
  return new CodedError('not-found', `${formatReleaseName(release)} is not published here`);
}

/** Answers out of the index are fresh to the second. */
function publicAnswer(response: Response): void {
  response.set('Cache-Control', 'public, max-age=1');
}
