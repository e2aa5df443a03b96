/** Failures as OCI clients read them (distribution-spec 1.1, "Error Codes"). */
import type { Request, Response } from 'express';
import { CodedError } from '../../core/error.ts';
import { beginRefusal, problemOf } from '../problem.ts';

/** The codes of the specification that a registry without uploads can meet. */
export type OciCode =
  | 'BLOB_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED';

/** A refusal with the code that the specification has for it. */
export function refusal(oci: OciCode, message: string): CodedError {
  return new CodedError(oci.endsWith('_UNKNOWN') ? 'not-found' : 'usage', message, { oci });
}

/** Says on every answer, also a refusal, which protocol is spoken; older clients look for it on a 401. */
export const API_VERSION = { 'Docker-Distribution-API-Version': 'registry/2.0' } as const;

const challenges = new WeakMap<Response, string>();

/** Says what a 401 is to ask for that does not say so itself. */
export function noteChallenge(response: Response, challenge: string): void {
  challenges.set(response, challenge);
}

/**
 * Says so on an answer that is no refusal (RFC 9110, section 11.6.1): some clients learn only from the
 * first one where a token is to be had, and never show theirs without.
 */
export function offerChallenge(response: Response): void {
  const challenge = challenges.get(response);
  if (challenge !== undefined) response.set('WWW-Authenticate', challenge);
}

/** Answers with a failure. */
export function sendOciFailure(request: Request, response: Response, error: CodedError): void {
  const status = beginRefusal(request, response, error);
  const { detail } = problemOf(error, status);
  const { challenge = challenges.get(response) } = error.details;
  if (status === 401 && typeof challenge === 'string') response.set('WWW-Authenticate', challenge);
  response
    .set(API_VERSION)
    .json({ errors: [{ code: codeOf(error, status), message: detail, detail: null }] });
}

/** The code MUST be one of the specification's list where the client is at fault. */
function codeOf({ code, details }: CodedError, status: number): OciCode | 'UNKNOWN' {
  if (details.oci !== undefined) return details.oci as OciCode;
  if (code === 'rate-limited' || code === 'overloaded') return 'TOOMANYREQUESTS';
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 403) return 'DENIED';
  if (status === 404) return 'NAME_UNKNOWN';
  return status < 500 ? 'UNSUPPORTED' : 'UNKNOWN';
}
