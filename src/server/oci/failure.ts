/** Failures as OCI clients read them (distribution-spec 1.1, "Error Codes"). */
import type { Request, Response } from 'express';
import { CodedError } from '../../core/error.ts';
import { beginRefusal, problemOf, statusOf } from '../problem.ts';
import { notesOf } from '../request-log.ts';

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

/** Answers with a failure; its status is the table's unless another is given. */
export function sendFailure(
  request: Request,
  response: Response,
  error: CodedError,
  status = statusOf(error.code, notesOf(response).subject !== undefined),
): void {
  const { detail } = problemOf(error, status);
  const code = codeOf(error, status);
  beginRefusal(request, response, error, status);
  response.json({ errors: [{ code, message: detail, detail: null }] });
}

function codeOf({ details }: CodedError, status: number): string {
  if (typeof details.oci === 'string') return details.oci;
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 403) return 'DENIED';
  if (status === 429) return 'TOOMANYREQUESTS';
  return status === 404 ? 'NAME_UNKNOWN' : 'UNKNOWN';
}
