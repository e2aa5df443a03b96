/**
 * Errors on the wire: RFC 9457 problem documents, and the one table from our codes to HTTP
 * statuses. What is not a CodedError is a bug: it is logged, and the client learns nothing.
 */
import type { ErrorRequestHandler, Request, Response } from 'express';
import type { Logger } from 'pino';
import { CodedError, type ErrorCode } from '../core/error.ts';
import { discardBody } from './body.ts';
import { notesOf } from './request-log.ts';

const STATUS: Readonly<Record<ErrorCode, number>> = {
  'bad-encoding': 400,
  'bad-json': 400,
  'bad-name': 400,
  'bad-path': 422,
  'bad-reference': 400,
  'bad-document': 400,
  'bad-weights': 422,
  'code-carrying-format': 422,
  'too-large': 413,
  'file-changed': 409,
  usage: 400,
  'bad-note': 400,
  'bad-key': 400,
  'bad-checkpoint': 400,
  'bad-tile': 400,
  'bad-proof': 400,
  'bad-policy': 400,
  'bad-entry': 400,
  'bad-envelope': 400,
  'bad-statement': 400,
  'bad-bundle': 400,
  'digest-mismatch': 422,
  'signature-invalid': 403,
  untrusted: 403,
  'proof-invalid': 422,
  fork: 409,
  stale: 503,
  'rolled-back': 503,
  recalled: 410,
  'gate-unmet': 403,
  'already-published': 409,
  'not-authorised': 401,
  'not-found': 404,
  conflict: 409,
  overloaded: 503,
  'rate-limited': 429,
  // Not 507: the server has room; whoever watches it for failures is not to be woken.
  'quota-exceeded': 403,
  network: 502,
  storage: 500,
  'disk-full': 507,
  damaged: 503,
  'unknown-outcome': 503,
  interrupted: 503,
  internal: 500,
};

/**
 * What a client is told of failures that are ours alone. Their messages name paths and keys
 * of the store: those stay in the server's log.
 */
export const OURS: Partial<Record<ErrorCode, string>> = {
  storage: 'the registry’s store failed; its operator finds the reason in the log',
  'disk-full': 'the registry’s store is full; try again when its operator has made room',
  'unknown-outcome':
    'nobody knows yet whether that was done; ask for its state before you repeat it',
  internal: 'the server failed; its operator finds the reason in the log',
};

/** Headers of the answer that was about to be given; a problem is another answer. */
export const REPRESENTATION = [
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Length',
  'Content-Type',
  'ETag',
  'Repr-Digest',
] as const;

/** A failure whose HTTP status no code of ours has: that of a method, a range or a host. */
export class StatusError extends CodedError {
  readonly status: number;

  constructor(status: number, code: ErrorCode, message: string) {
    super(code, message);
    this.status = status;
  }
}

/** What Express throws for requests that it refuses. */
interface HttpError {
  readonly status?: number;
}

/** The last of Express's handlers: answers with a problem document. */
export function problemHandler(log: Logger): ErrorRequestHandler {
  return failureHandler(log, sendProblem);
}

/** A handler that answers every failure with `send`, in the form of one protocol. */
export function failureHandler(
  log: Logger,
  send: (request: Request, response: Response, error: CodedError) => void,
): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    // It was answered when its time was over; what the work behind it comes to is nobody's.
    if (response.writableEnded) return;
    const coded = toCoded(error);
    if (coded.code in OURS) {
      const { method } = request;
      log.error({ err: error, method, route: notesOf(response).route }, 'request failed');
    }
    if (response.headersSent) {
      // Half an answer cannot be taken back; a broken connection is the only honest end.
      response.destroy();
      next();
      return;
    }
    send(request, response, coded);
  };
}

/** Answers with a problem document. */
export function sendProblem(request: Request, response: Response, error: CodedError): void {
  const status = beginRefusal(request, response, error);
  response.type('application/problem+json').send(JSON.stringify(problemOf(error, status)));
}

/**
 * All of a refusal that is the same in every form: its status and headers, and the end of the
 * request. Returns the status.
 */
export function beginRefusal(request: Request, response: Response, error: CodedError): number {
  const isKnown = notesOf(response).subject !== undefined;
  const status = error instanceof StatusError ? error.status : statusOf(error.code, isKnown);
  notesOf(response).code = error.code;
  for (const header of REPRESENTATION) response.removeHeader(header);
  const retryAfter = error.details.retryAfterSeconds;
  if (typeof retryAfter === 'number') response.set('Retry-After', String(Math.ceil(retryAfter)));
  else if (status === 503) response.set('Retry-After', '1');
  if (status === 401) response.set('WWW-Authenticate', 'Bearer realm="weighhouse"');
  discardBody(request);
  response.status(status).set('Cache-Control', 'no-store');
  return status;
}

/** The problem document of an error. */
export function problemOf(error: CodedError, status: number) {
  return {
    type: `urn:weighhouse:problem:${error.code}`,
    title: error.code,
    status,
    detail: OURS[error.code] ?? error.message,
    code: error.code,
    details: error.code in OURS ? {} : error.details,
  };
}

/** The HTTP status of a code. Who is known and may not is told so, and not to say who they are. */
export function statusOf(code: ErrorCode, isKnown = false): number {
  return code === 'not-authorised' && isKnown ? 403 : STATUS[code];
}

function toCoded(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  if (isBrokenOff(error)) return new CodedError('interrupted', 'the request was broken off');
  const status = (error as HttpError | undefined)?.status ?? 500;
  if (status >= 400 && status < 500)
    return new CodedError('bad-encoding', 'the address of the request is malformed');
  return new CodedError('internal', String(error), {}, { cause: error });
}

/** What Node's request stream throws when its client goes away in the middle of a body. */
function isBrokenOff(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ECONNRESET';
}
