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

/** What waits on the connections that have asked for something. */
export class Backlog {
  readonly #sockets = new Set<Socket>();
  readonly #maxBytes: number;

  /** `maxBytes` is less only in tests. */
  constructor(maxBytes = MAX_BACKLOG_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Does too much wait to answer a read on `socket`? */
  isOver(socket: Socket): boolean {
    if (!this.#sockets.has(socket)) {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    }
    let bytes = 0;
    for (const { writableLength } of this.#sockets) bytes += writableLength;
    return bytes > this.#maxBytes;
  }
}

/** Refuses reads with `overloaded` while too much waits. */
export function refuseBacklog(backlog: Backlog): RequestHandler {
  return ({ method, socket }, _response, next) => {
    const isRead = method === 'GET' || method === 'HEAD';
    if (isRead && backlog.isOver(socket)) {
      const message = 'too many answers wait for slow readers; try again in a moment';
      throw new CodedError('overloaded', message, { retryAfterSeconds: RETRY_AFTER_SECONDS });
    }
    next();
  };
}
