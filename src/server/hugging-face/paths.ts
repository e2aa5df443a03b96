/** Which paths are the hub's: all that its clients ask for, whether or not there is a route for it. */
import cors from 'cors';

/** Where models are listed and searched for. */
export const HUB_LIST_PATH = '/api/models';

/** All of its paths; a model of the hub may have no namespace. */
export const HUB_PATHS =
  /^\/(?:api\/(?:models|whoami-v2|repos)(?=\/|$)|(?:[^/]+\/){1,2}(?:resolve|raw)(?=\/))/;

/** Headers that scripts of other origins may read; clients in browsers need them. */
const EXPOSED = [
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Length',
  'Content-Range',
  'ETag',
  'Link',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'X-Error-Code',
  'X-Error-Message',
  'X-Linked-ETag',
  'X-Linked-Size',
  'X-Repo-Commit',
  'X-Total-Count',
];

/** Lets scripts of every origin read what is answered, refusals with it. */
export const crossOrigin = cors({ exposedHeaders: EXPOSED, maxAge: 86_400 });
