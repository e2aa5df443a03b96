/**
 * What is told about a request when it has ended: one line of the log and the metrics. A
 * request is known by its route's template; its path, its headers and its token are not
 * written anywhere.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NextFunction, Response } from 'express';
import type { Logger } from 'pino';
import type { ErrorCode } from '../core/error.ts';

/** One request that has ended. */
export interface EndedRequest {
  readonly method: string;
  /** The route's template; `none` where there is no such route. */
  readonly route: string;
  readonly status: number;
  /** Bytes that went out, headers included. */
  readonly sent: number;
  readonly seconds: number;
  /** The error that it was answered with. */
  readonly code: ErrorCode | undefined;
}

/** What the handlers of a request leave for those who tell of it. */
export interface RequestNotes {
  id?: string;
  route?: string;
  /** The subject of the token that was accepted. */
  subject?: string;
  /** The error that is the answer. */
  code?: ErrorCode;
}

/** A response as Express finds and keeps it. */
interface Noted extends ServerResponse {
  locals?: RequestNotes;
}

/** The notes of a request. */
export function notesOf(response: Noted): RequestNotes {
  response.locals ??= {};
  return response.locals;
}

/** What the answer is to name as `X-Request-Id`. */
export function idOf(response: ServerResponse): string {
  return notesOf(response).id ?? '';
}

/** Says which route a request has taken. */
export function named(route: string) {
  return (_request: unknown, response: Response, next: NextFunction): void => {
    notesOf(response).route = route;
    next();
  };
}

/** Tells `logger` and `observer` of every request; each gets an id. */
export function logRequests(
  logger: Logger,
  observer: { began(): void; ended(request: EndedRequest): void },
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const begun = performance.now();
    observer.began();
    // Kept: a request whose connection breaks off while it is refused has none any more.
    const { socket } = request;
    const sentBefore = socket.bytesWritten;
    const id = randomUUID();
    notesOf(response).id = id;
    response.once('close', () => {
      const ended = describe(request, response, begun, socket.bytesWritten - sentBefore);
      const { subject } = notesOf(response);
      const { sent, seconds, ...rest } = ended;
      const isWhole = response.writableFinished;
      logger.info(
        { id, ...rest, sent, ms: Math.round(seconds * 1000), subject, isWhole },
        'request',
      );
      observer.ended(ended);
    });
  };
}

function describe(
  { method = '' }: IncomingMessage,
  response: ServerResponse,
  begun: number,
  sent: number,
): EndedRequest {
  return {
    method,
    route: notesOf(response).route ?? 'none',
    status: response.statusCode,
    sent,
    seconds: (performance.now() - begun) / 1000,
    code: notesOf(response).code,
  };
}
