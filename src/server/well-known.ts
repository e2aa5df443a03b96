/** `/.well-known/weighhouse/…`: the signed trust root, every version of it, and where things are. */
import { Router } from 'express';
import { CodedError } from '../core/error.ts';
import type { LogReader } from '../log/reader.ts';
import { publicRootVersion } from '../registry/roots.ts';
import type { Store } from '../store/contract.ts';
import { keys } from '../store/keys.ts';
import { named } from './request-log.ts';

export const WELL_KNOWN_PATH = '/.well-known/weighhouse';

/**
 * What `config.json` tells. Nothing in it is trusted: keys count only as the root names them.
 * Read anew for each answer, for keys may change while a server runs.
 */
export interface PublicConfig {
  readonly origin: string;
  readonly url: string;
  /** The log's verifier key (C2SP signed-note). */
  readonly vkey: string;
  /** Public release keys, PEM. */
  readonly releaseKeys: readonly string[];
}

export function wellKnownRouter(store: Store, log: LogReader, config: PublicConfig): Router {
  const router = Router({ caseSensitive: true });
  router.get('/root.json', named(`${WELL_KNOWN_PATH}/root.json`), async (_request, response) => {
    const root = await rootDocument(store, await publicRootVersion(store, log));
    response.set('Cache-Control', 'public, max-age=60').type('application/json').send(root);
  });
  router.get(
    '/root/:version.json',
    named(`${WELL_KNOWN_PATH}/root/{version}.json`),
    async (request, response) => {
      const version = /^[1-9][0-9]{0,5}$/.exec(request.params.version)?.[0];
      if (version === undefined)
        throw new CodedError('not-found', 'a trust root has a version from 1');
      const root = await publicRoot(store, log, Number(version));
      response
        .set('Cache-Control', 'public, max-age=31536000, immutable')
        .type('application/json')
        .send(root);
    },
  );
  router.get('/config.json', named(`${WELL_KNOWN_PATH}/config.json`), (_request, response) => {
    response
      .set('Cache-Control', 'public, max-age=60')
      .json({ ...config, api: '/api/v1', log: '/log' });
  });
  return router;
}

async function rootDocument(store: Store, version: number): Promise<Buffer> {
  const stored = await store.get(keys.root(version));
  if (stored === undefined)
    throw new CodedError('not-found', `there is no trust root of version ${version}`);
  return Buffer.from(stored.bytes);
}

/** No version is shown that the published log does not have: all see the same, or nobody sees it. */
async function publicRoot(store: Store, log: LogReader, version: number): Promise<Buffer> {
  const root = await rootDocument(store, version);
  if (version === 1 || version <= (await publicRootVersion(store, log))) return root;
  throw new CodedError('not-found', `version ${version} of the trust root is not public yet`);
}
