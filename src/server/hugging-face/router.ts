/**
 * The read side of the Hugging Face hub, for the clients that people already have: all of a
 * published release can be found and downloaded with `HF_ENDPOINT` set to this registry. What
 * those clients send and need is observed (huggingface_hub, @huggingface/hub, llama.cpp), for
 * there is no specification; the paths are the hub's own.
 *
 * Publishing is not among it: a release passes a gate, which an upload of files does not.
 */
import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { inParallel } from '../../core/parallel.ts';
import { formatReleaseName, type Namespace, parseNamespace } from '../../core/release/name.ts';
import { isOpenDocument } from '../../core/release/readers.ts';
import { revisionOf } from '../../core/release/revision.ts';
import type { Catalogue, CatalogueRelease } from '../../index/catalogue.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Authenticator } from '../auth.ts';
import type { Cards } from '../cards.ts';
import type { ContentSender } from '../content.ts';
import { StatusError } from '../problem.ts';
import { named, notesOf } from '../request-log.ts';
import { absent } from './failure.ts';
import { listedInfo, modelInfo } from './model-info.ts';
import { HUB_LIST_PATH } from './paths.ts';
import { flag, joined, limitOf, nextPage, pathsOf, texts, wholeNumber } from './query.ts';
import { fileAt, SIGNATURE_PATH, type Snapshot, Snapshots } from './snapshot.ts';
import { MAX_TREE_PAGE, pathsInfo, treePage } from './tree.ts';

/** Models of a page of a list. */
const MAX_LISTED = 100;
/** Namespaces of a page that are looked at at the same time. */
const LOOKED_AT_ONCE = 16;
/** Commits of a page. */
const MAX_COMMITS = 100;

/** What a list or a description says is fresh to the second. */
const FRESH = 'public, max-age=1';
const MOVING = 'public, max-age=0, must-revalidate';
const IMMUTABLE = 'public, max-age=31536000, immutable';

/** `{id}` of the hub. */
const MODEL = `${HUB_LIST_PATH}/:namespace/:name`;

/** The hub has models without a namespace, and clients their names; none of them is here. */
const WITHOUT_NAMESPACE = [
  `${HUB_LIST_PATH}/:name`,
  ...['revision', 'tree', 'commits', 'paths-info'].map(
    (of) => `${HUB_LIST_PATH}/:name/${of}/*rest`,
  ),
  ...['resolve', 'raw'].map((of) => `/:name/${of}/*rest`),
];

type Handler = (request: Request, response: Response) => Promise<void>;

const WHY_NOT =
  'releases are not uploaded file by file here: "weighhouse push DIR REF" checks and seals them, and "weighhouse publish REF" releases them once their gate is met';

export interface HubParts {
  readonly registry: Registry;
  readonly catalogue: Catalogue;
  readonly cards: Cards;
  readonly sender: ContentSender;
  readonly auth: Authenticator;
  /** How clients reach the server, without a final `/`. */
  readonly url: string;
  readonly logger: Logger;
}

export function hubRouter({
  registry,
  catalogue,
  cards,
  sender,
  auth,
  url,
  logger,
}: HubParts): Router {
  const router = Router({ caseSensitive: true });
  const snapshots = new Snapshots(registry, catalogue);

  const idOf = ({ params }: Request) => `${params.namespace}/${params.name}`;
  const snapshotOf = (request: Request, response: Response): Promise<Snapshot> =>
    snapshots.at(idOf(request), texts(request.params.rev)[0]).then((snapshot) => {
      response.set('X-Repo-Commit', snapshot.revision);
      return snapshot;
    });

  /** Who reads. Tokens of other hubs come along, too: nobody looks at them where all is everybody's. */
  const readerOf = (request: Request, response: Response) => async () => {
    const caller = await auth.caller(request);
    if (caller !== undefined) notesOf(response).subject = caller.subject;
    return caller;
  };

  /** Which of the namespaces keep their bytes for readers. */
  async function gatedAmong(listed: readonly CatalogueRelease[]): Promise<Set<Namespace>> {
    const namespaces = [...new Set(listed.map(({ release }) => release.namespace))];
    const restricted = await inParallel(namespaces, LOOKED_AT_ONCE, (namespace) =>
      registry.restriction(namespace),
    );
    return new Set(namespaces.filter((_, i) => restricted[i] !== undefined));
  }

  /** Adds a route under its own name in logs and metrics; a GET answers HEAD, too. */
  function route(method: 'get' | 'post', path: string, run: Handler): void {
    const template = path.replaceAll(/([:*])(\w+)/g, (_, kind, name) =>
      kind === '*' ? `{*${name}}` : `{${name}}`,
    );
    router[method](path, named(template), run as RequestHandler);
  }

  route('get', HUB_LIST_PATH, async (request, response) => {
    const { query } = request;
    const author = texts(query.author)[0];
    const words = [...texts(query.search), ...texts(query.filter)].join(' ');
    const limit = limitOf(query.limit, MAX_LISTED);
    const before = wholeNumber(query.cursor);
    const listed = catalogue.models({
      limit,
      ...(author === undefined ? {} : { namespace: parseNamespace(author) }),
      ...(words === '' ? {} : { text: words }),
      ...(before === undefined ? {} : { before }),
    });
    const last = listed.at(-1);
    if (last !== undefined && listed.length === limit) {
      response.set('Link', nextPage(url, request, String(last.index)));
    }
    const gated = await gatedAmong(listed);
    const infos = listed.map((one) => listedInfo(one, gated.has(one.release.namespace)));
    response.set('Cache-Control', FRESH).json(infos);
  });

  for (const path of [MODEL, `${MODEL}/revision/:rev`]) {
    route('get', path, async (request, response) => {
      const snapshot = await snapshotOf(request, response);
      const { model, published } = snapshot;
      const card = await cards.of(published).catch((error: unknown) => {
        logger.error({ err: error }, 'the card of a release cannot be read');
        return { fields: {}, tags: [] };
      });
      const releases = catalogue.releases({ model, limit: 1_000 });
      const { blobs, securityStatus, expand, 'expand[]': list } = request.query;
      const isGated = (await registry.restriction(model.namespace)) !== undefined;
      const info = modelInfo(snapshot, card, releases.at(-1)?.time ?? published.time, {
        isGated,
        blobs: flag(blobs),
        securityStatus: flag(securityStatus),
        expand: [...texts(expand), ...texts(list)],
      });
      response.set('Cache-Control', FRESH).json(info);
    });
  }

  for (const path of [`${MODEL}/tree/:rev`, `${MODEL}/tree/:rev/*path`]) {
    route('get', path, async (request, response) => {
      const snapshot = await snapshotOf(request, response);
      const { recursive, expand, limit, cursor } = request.query;
      const after = texts(cursor)[0];
      const page = treePage(snapshot, {
        folder: joined(request.params.path).replace(/\/+$/, ''),
        recursive: flag(recursive),
        expand: flag(expand),
        limit: limitOf(limit, MAX_TREE_PAGE),
        ...(after === undefined ? {} : { after }),
      });
      if (page.next !== undefined) response.set('Link', nextPage(url, request, page.next));
      response.set('Cache-Control', FRESH).json(page.items);
    });
  }

  route('post', `${MODEL}/paths-info/:rev`, async (request, response) => {
    const { paths, expand } = await pathsOf(request);
    const snapshot = await snapshotOf(request, response);
    response.set('Cache-Control', 'no-store').json(pathsInfo(snapshot, paths, expand));
  });

  route('get', `${MODEL}/refs`, async (request, response) => {
    const model = snapshots.model(idOf(request));
    const main = catalogue.models({ model, limit: 1 });
    const releases = catalogue.releases({ model, limit: 1_000 });
    response.set('Cache-Control', FRESH).json({
      branches: main.map((release) => refTo('refs/heads/main', release)),
      tags: releases.map((listed) => refTo(`refs/tags/${listed.release.version}`, listed)),
      converts: [],
      pullRequests: [],
    });
  });

  route('get', `${MODEL}/commits/:rev`, async (request, response) => {
    const { model, published } = await snapshotOf(request, response);
    const limit = limitOf(request.query.limit, MAX_COMMITS);
    const page = wholeNumber(request.query.p) ?? 0;
    const releases = catalogue
      .releases({ model, limit: 1_000 })
      .filter(({ index }) => index <= published.index);
    response
      .set('Cache-Control', FRESH)
      .set('X-Total-Count', String(releases.length))
      .json(releases.slice(page * limit, (page + 1) * limit).map(commitOf));
  });

  for (const kind of ['resolve', 'raw']) {
    route('get', `/:namespace/:name/${kind}/:rev/*path`, async (request, response) => {
      const snapshot = await snapshotOf(request, response);
      const file = fileAt(snapshot, joined(request.params.path));
      const content =
        file.path === SIGNATURE_PATH
          ? await snapshots.signatureContent(snapshot)
          : await registry.content(snapshot.release, file.path, readerOf(request, response));
      const digits = content.sha256.slice('sha256:'.length);
      response.set({ 'X-Linked-ETag': `"${digits}"`, 'X-Linked-Size': String(content.size) });
      // A branch moves on; only under its commit is a file what it is for ever.
      const isFixed = request.params.rev === snapshot.revision;
      response.set('Cache-Control', isFixed ? IMMUTABLE : MOVING);
      await sender.send(request, response, content);
    });
  }

  /** Asked by `auth_check` of huggingface_hub: may I download this? */
  route('get', `${MODEL}/auth-check`, async (request, response) => {
    const { release, published } = await snapshotOf(request, response);
    const { path } = published.manifest.files.find((file) => !isOpenDocument(file)) ?? {};
    if (path !== undefined) await registry.content(release, path, readerOf(request, response));
    response.set('Cache-Control', 'no-store').json({});
  });

  route('get', '/api/whoami-v2', async (request, response) => {
    const { subject, roles } = await auth.required(request);
    notesOf(response).subject = subject;
    const isReader = roles.every((role) => role === 'reader');
    const accessToken = { displayName: subject, role: isReader ? 'read' : 'write' };
    response.set('Cache-Control', 'no-store').json({
      type: 'user',
      id: subject,
      name: subject,
      fullname: subject,
      isPro: false,
      orgs: [],
      auth: { type: 'access_token', accessToken },
    });
  });

  const refuse: Handler = async () => {
    throw new StatusError(403, 'usage', WHY_NOT);
  };
  route('post', '/api/repos/create', refuse);
  for (const action of ['preupload', 'commit', 'branch', 'tag']) {
    route('post', `${MODEL}/${action}/*rest`, refuse);
  }

  router.all(WITHOUT_NAMESPACE, () => {
    throw absent('RepoNotFound', 'there is no such model here; models are NAMESPACE/NAME');
  });
  return router;
}

function refTo(ref: string, { digest }: CatalogueRelease): object {
  return { name: ref.slice(ref.lastIndexOf('/') + 1), ref, targetCommit: revisionOf(digest) };
}

function commitOf({ release, digest, time }: CatalogueRelease): object {
  const title = formatReleaseName(release);
  const authors = [{ user: release.namespace }];
  return { id: revisionOf(digest), title, message: '', authors, date: time };
}
