/**
 * Refusals as OAuth wants them: the status and members that RFC 6749 (section 5.2) asks for, and those
 * of our problem documents beside them, with the same `code` as everywhere. What is nobody's fault (an
 * issuer that does not answer, too much at once) has no code in OAuth: it is a problem document with
 * the table's status.
 */
import type { Request, Response } from 'express';
import * as v from 'valibot';
import { CodedError } from '../../core/error.ts';
import { count } from '../../core/shape.ts';
import { discardBody } from '../body.ts';
import { problemOf, statusOf } from '../problem.ts';
import type { Refusal } from './endpoint.ts';

const STATUS = 400;

/** RFC 6749, section 5.2; RFC 8693, section 2.2.2; RFC 8628, section 3.5. */
type OAuthError =
  | 'invalid_request'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unsupported_grant_type'
  | 'authorization_pending'
  | 'slow_down'
  | 'access_denied'
  | 'expired_token';

export function oauthError(error: OAuthError, message: string): CodedError {
  return new CodedError('usage', message, { error });
}

/** How an endpoint refuses that may say these of the errors. */
export function oauthRefusal(errors: readonly OAuthError[]): Refusal {
  return {
    status: STATUS,
    shape: v.strictObject({
      error: v.picklist(errors),
      error_description: v.string(),
      type: v.string(),
      title: v.string(),
      status: count,
      detail: v.string(),
      code: v.string(),
      details: v.looseObject({}),
    }),
    send(request: Request, response: Response, error: unknown) {
      // What OAuth has no word for: too much at once, too often, and what is nobody's fault.
      if (!(error instanceof CodedError) || isOther(error)) throw error;
      const { details, message } = error;
      const chosen = errors.find((it) => it === details.error);
      const isGrant = error.code === 'not-authorised' || error.code === 'untrusted';
      const byCode = isGrant ? 'invalid_grant' : 'invalid_request';
      discardBody(request);
      response
        .status(STATUS)
        .set('Cache-Control', 'no-store')
        .type('application/json')
        .send(
          JSON.stringify({
            error: chosen ?? byCode,
            error_description: asciiOf(message),
            ...problemOf(error, STATUS),
          }),
        );
    },
  };
}

function isOther({ code }: CodedError): boolean {
  return code === 'rate-limited' || statusOf(code) >= 500;
}

/** RFC 6749, section 5.2: what an `error_description` may hold. */
function asciiOf(message: string): string {
  return message
    .replaceAll('’', "'")
    .replaceAll('"', "'")
    .replace(/[^\x20-\x7e]|\\/g, '?');
}
