/**
 * OCI distribution 1.1, the pull side and the discovery of what refers to a manifest
 * (distribution-spec, "Pull", "Content Discovery", "Listing Referrers"). Models are ModelPack
 * artifacts over the files of the releases; nothing is stored twice. Only blobs that a namespace
 * keeps for readers ask for a token; manifests and what refers to them are public.
 */
import { type Request, type Response, Router } from 'express';
import type { Digest } from '../../core/digest.ts';
import { IMAGE_INDEX_TYPE } from '../../core/oci/artifact.ts';
import { DOCKER_MANIFEST_TYPE } from '../../core/oci/ollama.ts';
import { formatModel, type Model } from '../../core/release/name.ts';
import type { Catalogue } from '../../index/catalogue.ts';
import { MAX_PAGE } from '../../index/catalogue.ts';
import type { Artifacts, Registry } from '../../registry/registry.ts';
import type { ContentSender } from '../content.ts';
import { StatusError } from '../problem.ts';
import { named } from '../request-log.ts';
import { readerOf } from './access.ts';
import { API_VERSION, offerChallenge, refusal } from './failure.ts';
import { digestIn, Repositories } from './repository.ts';

export const OCI_PATH = '/v2';

/**
 * Seconds for which a blob's place in the store is good. Ollama asks for it once and takes all
 * ranges of the blob from there, however long that takes; its own registry gives it a day.
 */
export const PULL_SECONDS = 86_400;
/** Names of a page of a list. */
const MAX_NAMES = 1_000;
const IMMUTABLE = 'public, max-age=31536000, immutable';
const MOVING = 'public, max-age=0, must-revalidate';

const INDEX = { schemaVersion: 2, mediaType: IMAGE_INDEX_TYPE };

const READ_ONLY =
  'nothing is pushed with OCI clients here: "weighhouse push DIR REF" checks and seals a release, and "weighhouse publish REF" releases it once its gate is met';

export interface OciParts {
  readonly registry: Registry;
  readonly catalogue: Catalogue;
  readonly sender: ContentSender;
}

export function ociRouter({ registry, catalogue, sender }: OciParts): Router {
  const router = Router({ caseSensitive: true });
  const repositories = new Repositories(registry, catalogue);
  const modelOf = ({ params }: Request): Model =>
    repositories.model(`${params.namespace}/${params.name}`);

  router.use((_request, response, next) => {
    response.set(API_VERSION);
    next();
  });

  function get(path: string, run: (request: Request, response: Response) => Promise<void>): void {
    const template = path.replaceAll(/:(\w+)/g, '{$1}');
    router.get(path, named(OCI_PATH + template), run);
  }

  get('/', async (_request, response) => {
    offerChallenge(response);
    response.set('Cache-Control', 'no-store').json({});
  });

  get('/_catalog', async (request, response) => {
    sendNames(request, response, 'repositories', namesOf(catalogue), {});
  });

  get('/:namespace/:name/tags/list', async (request, response) => {
    const model = modelOf(request);
    sendNames(request, response, 'tags', repositories.tags(model), { name: formatModel(model) });
  });

  get('/:namespace/:name/manifests/:reference', async (request, response) => {
    const model = modelOf(request);
    const reference = String(request.params.reference);
    const isTag = !reference.includes(':');
    const digest = isTag
      ? manifestFor(request, await repositories.atTag(model, reference))
      : digestIn(reference);
    const object = await repositories.object(model, digest);
    if (object?.kind !== 'manifest') {
      throw refusal('MANIFEST_UNKNOWN', `${formatModel(model)} has no manifest ${digest}`);
    }
    response
      .set('Docker-Content-Digest', digest)
      .set('ETag', `"${digest}"`)
      .set('Cache-Control', isTag ? MOVING : IMMUTABLE)
      .set('Content-Type', object.mediaType)
      .send(Buffer.from(object.bytes));
  });

  get('/:namespace/:name/blobs/:digest', async (request, response) => {
    const digest = digestIn(String(request.params.digest));
    const content = await repositories.blob(modelOf(request), digest, readerOf(response));
    // Ollama takes the bytes from the place that an answer names, also when it is the same.
    response.set({ 'Docker-Content-Digest': digest, Location: request.originalUrl });
    await sender.send(request, response, content, { seconds: PULL_SECONDS });
  });

  get('/:namespace/:name/referrers/:digest', async (request, response) => {
    const digest = digestIn(String(request.params.digest));
    const all = await repositories.referrers(modelOf(request), digest);
    const wanted = request.query.artifactType;
    const isFiltered = typeof wanted === 'string' && wanted !== '';
    if (isFiltered) response.set('OCI-Filters-Applied', 'artifactType');
    const manifests = isFiltered ? all.filter((one) => one.artifactType === wanted) : all;
    response
      .set('Cache-Control', MOVING)
      .set('Content-Type', IMAGE_INDEX_TYPE)
      .send(Buffer.from(JSON.stringify({ ...INDEX, manifests })));
  });

  router.use((request, response) => {
    if (['GET', 'HEAD'].includes(request.method)) {
      throw refusal('NAME_UNKNOWN', 'there is no such repository here; models are NAMESPACE/NAME');
    }
    response.set('Allow', 'GET, HEAD');
    throw new StatusError(405, 'usage', READ_ONLY);
  });
  return router;
}

/**
 * Which of a release’s manifests a client can read. Ollama asks for Docker’s alone; clients of
 * images that do so as well name OCI’s beside it, or take anything.
 */
function manifestFor(request: Request, { manifest, ollama }: Artifacts): Digest {
  const accept = request.get('accept') ?? '*/*';
  const onlyDocker = accept.includes(DOCKER_MANIFEST_TYPE) && !/oci\.image|\*\/\*/.test(accept);
  if (!onlyDocker) return manifest.digest;
  if (ollama !== undefined) return ollama.digest;
  throw refusal(
    'MANIFEST_UNKNOWN',
    'Ollama runs a release that has exactly one GGUF file, and this one has not; "weighhouse pull" gets its files',
  );
}

/** One page of names (distribution-spec, "Listing Tags"): those after `last`, `n` at most. */
function sendNames(
  request: Request,
  response: Response,
  member: string,
  names: readonly string[],
  rest: object,
): void {
  const { n, last } = request.query;
  if (n !== undefined && !/^[0-9]{1,9}$/.test(String(n))) {
    throw refusal('UNSUPPORTED', 'n is a whole number');
  }
  const limit = Math.min(n === undefined ? MAX_NAMES : Number(n), MAX_NAMES);
  const after = typeof last === 'string' ? names.filter((name) => name > last) : names;
  const page = after.slice(0, limit);
  if (page.length > 0 && page.length < after.length) {
    const query = new URLSearchParams({ n: String(limit), last: page.at(-1)! });
    response.set('Link', `<${request.baseUrl}${request.path}?${query}>; rel="next"`);
  }
  response.set('Cache-Control', 'public, max-age=1').json({ ...rest, [member]: page });
}

/** The names of all published models, sorted. */
function namesOf(catalogue: Catalogue): string[] {
  const names = new Set<string>();
  for (let before: number | undefined; ; ) {
    const page = catalogue.models({
      limit: MAX_PAGE,
      ...(before === undefined ? {} : { before }),
    });
    for (const { release } of page) names.add(formatModel(release));
    if (page.length < MAX_PAGE) return [...names].sort();
    before = page.at(-1)!.index;
  }
}
