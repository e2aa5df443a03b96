/**
 * The log for everybody: `/log/checkpoint` and `/log/tile/…` (C2SP tlog-tiles). Tiles say
 * that they never change, but only on a 200: the 404 of a tile that is about to exist may
 * not be kept.
 */
import { Router } from 'express';
import { CodedError } from '../core/error.ts';
import { formatTilePath, parseTilePath } from '../core/log/tile.ts';
import type { LogReader } from '../log/reader.ts';
import { named } from './request-log.ts';

export const TILE_ROUTE = '/log/tile/{*rest}';
export const TILE_HEADERS = {
  'Cache-Control': 'public, max-age=31536000, immutable',
  'Content-Type': 'application/octet-stream',
} as const;

export function logRouter(log: LogReader): Router {
  const router = Router({ caseSensitive: true });
  router.get('/checkpoint', named('/log/checkpoint'), async (_request, response) => {
    const { note } = await log.published();
    response
      .set('Cache-Control', 'public, max-age=1')
      .type('text/plain; charset=utf-8')
      .send(Buffer.from(note));
  });
  router.get('/tile/*rest', named(TILE_ROUTE), async (request, response) => {
    const rest: string | readonly string[] = request.params.rest;
    const path = formatTilePath(
      parseTilePath(`tile/${typeof rest === 'string' ? rest : rest.join('/')}`),
    );
    const tile = await log.tile(path);
    if (tile === undefined) throw new CodedError('not-found', `the published tree has no ${path}`);
    response.set(TILE_HEADERS).send(Buffer.from(tile));
  });
  return router;
}
