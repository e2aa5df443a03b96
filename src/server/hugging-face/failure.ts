/**
 * Failures as Hugging Face clients read them: `X-Error-Code` names the kind, `X-Error-Message`
 * and `{"error"}` say it for people. A 404 without a code would be taken for a broken server;
 * one that says EntryNotFound and names the revision is remembered by clients that ask for
 * files which many models do not have.
 */
import type { Request, Response } from 'express';
import { CodedError } from '../../core/error.ts';
import { beginRefusal, problemOf, statusOf } from '../problem.ts';
import { notesOf } from '../request-log.ts';

/** The kinds of "not found" that clients tell apart (huggingface_hub, `utils/_http.py`). */
type Absence = 'RepoNotFound' | 'RevisionNotFound' | 'EntryNotFound';

/** There is no such model, revision or file: a `not-found` that says which. */
export function absent(absence: Absence, message: string): CodedError {
  return new CodedError('not-found', message, { absence });
}

/** Answers with a failure; its status is the table's unless another is given. */
export function sendFailure(
  request: Request,
  response: Response,
  error: CodedError,
  status = statusOf(error.code, notesOf(response).subject !== undefined),
): void {
  const { detail } = problemOf(error, status);
  const { absence } = error.details;
  beginRefusal(request, response, error, status);
  if (typeof absence === 'string') response.set('X-Error-Code', absence);
  response.set('X-Error-Message', headerText(detail)).json({ error: detail });
}

/** Header values are ASCII without control characters. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
