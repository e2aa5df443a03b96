/**
 * Tiles that are in memory, answered before Express is asked. Whoever mirrors or audits a log
 * reads all of its tiles, and Express takes several times as long to find a route as the answer
 * takes. What cannot be answered here goes its whole way.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LogReader } from '../log/reader.ts';
import type { Backlog } from './backlog.ts';
import { type Hosts, isAnswered } from './hosts.ts';
import { TILE_HEADERS, TILE_ROUTE } from './log.ts';
import { idOf, notesOf } from './request-log.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

export interface LogFrontParts {
  readonly log: Pick<LogReader, 'known'>;
  readonly hosts: Hosts | undefined;
  readonly backlog: Backlog;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const PREFIX = '/log/';
const TILE = `${PREFIX}tile/`;

/** Names and values in turn, as `writeHead` takes them. */
const HEADERS = [...SECURITY_HEADERS, ...Object.entries(TILE_HEADERS)].flat();

/** Answers what it can, and leaves the rest to `next`. */
export function logFront({ log, hosts, backlog }: LogFrontParts, next: Handler): Handler {
  return (request, response) => {
    const { method, url = '', headers } = request;
    const isTile = method === 'GET' && url.startsWith(TILE);
    const tile = isTile ? log.known(url.slice(PREFIX.length)) : undefined;
    const isOurs = tile !== undefined && isAnswered(hosts, headers.host);
    if (isOurs && !backlog.isOver(request.socket)) send(response, tile);
    else next(request, response);
  };
}

function send(response: ServerResponse, tile: Uint8Array): void {
  notesOf(response).route = TILE_ROUTE;
  const own = ['X-Request-Id', idOf(response), 'Content-Length', String(tile.length)];
  response.writeHead(200, [...HEADERS, ...own]).end(tile);
}
