/**
 * What was answered and not yet taken: an answer lies in memory until its reader has read it,
 * and readers who do not read are cheap to have. All answers together may wait up to a limit;
 * beyond it nobody is answered anew before some of it is gone. Slow readers are cut in time
 * (`listen.ts`).
 */
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import { CodedError } from '../core/error.ts';

/** Bytes that may wait for their readers, on all connections together. */
export const MAX_BACKLOG_BYTES = 512 * 2 ** 20;
const RETRY_AFTER_SECONDS = 5;

/** Refuses reads with `overloaded` while more than `maxBytes` wait. `maxBytes` is less only in tests. */
export function refuseBacklog(maxBytes = MAX_BACKLOG_BYTES): RequestHandler {
  const sockets = new Set<Socket>();
  return ({ method, socket }, _response, next) => {
    if (!sockets.has(socket)) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    const isRead = method === 'GET' || method === 'HEAD';
    if (isRead && backlogOf(sockets) > maxBytes) {
      const message = 'too many answers wait for slow readers; try again in a moment';
      throw new CodedError('overloaded', message, { retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    next();
  };
}

function backlogOf(sockets: ReadonlySet<Socket>): number {
  let bytes = 0;
  for (const { writableLength } of sockets) bytes += writableLength;
  return bytes;
}
