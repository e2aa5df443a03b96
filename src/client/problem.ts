/** What a server says when it refuses: RFC 9457 problem details, or merely a status. */
import * as v from 'valibot';
import { CodedError, type ErrorCode, isCoded } from '../core/error.ts';
import { parseJson } from '../core/json.ts';
import { record } from '../core/shape.ts';
import { parseRetryAfter } from './retry.ts';
import { codeOfStatus, isTransient } from './status.ts';

/** What is read of a problem; it may say more. */
const problemSchema = v.object({
  code: v.pipe(v.string(), v.regex(/^[a-z]+(?:-[a-z]+)*$/), v.maxLength(40)),
  detail: v.string(),
  details: v.optional(record(v.unknown()), {}),
});

/** Characters of a server's sentence that are passed on. */
const MAX_DETAIL = 1_000;

/** What is needed of a response; `fetch` gives more. */
export interface Refusal {
  readonly status: number;
  readonly headers: Pick<Headers, 'get'>;
}

/** The error that a refusal means. */
export function parseProblem(response: Refusal, body: Uint8Array, address: string): CodedError {
  const { status } = response;
  const retryAfterSeconds = parseRetryAfter(response.headers.get('retry-after'), Date.now());
  const transport = {
    status,
    url: address,
    transient: isTransient(status),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
  const problem = readProblem(response, body);
  if (problem === undefined) {
    return new CodedError(codeOfStatus(status), `${address} answered ${status}`, transport);
  }
  const { code, detail, details } = problem;
  return new CodedError(codeHere(code), plainText(detail), { ...details, ...transport });
}

/**
 * Throws what a server says about its log: a tile that it calls damaged is, to whoever reads the
 * log, a log that does not hold what its checkpoint signs, and no matter of content.
 */
export function throwOfLog(error: unknown): never {
  if (!isCoded(error, 'damaged')) throw error;
  throw new CodedError('bad-tile', error.message, error.details, { cause: error });
}

/** A server that is being stopped is `interrupted`; to its client, whom nobody stopped, it is busy. */
function codeHere(code: string): ErrorCode {
  return code === 'interrupted' ? 'overloaded' : (code as ErrorCode);
}

function readProblem(response: Refusal, body: Uint8Array) {
  const type = response.headers.get('content-type') ?? '';
  // The token endpoint's refusals have both forms: OAuth wants them as plain JSON.
  if (!/^application\/(?:problem\+)?json\b/.test(type)) return undefined;
  try {
    const parsed = v.safeParse(problemSchema, parseJson(body, 'the refusal'));
    return parsed.success ? parsed.output : undefined;
  } catch {
    // A refusal that cannot be read is still one: its status says enough.
    return undefined;
  }
}

/** A server's sentence goes to a terminal: nothing in it may steer one. */
function plainText(detail: string): string {
  return detail.slice(0, MAX_DETAIL).replace(/[\p{Cc}\p{Cf}]/gu, ' ');
}
