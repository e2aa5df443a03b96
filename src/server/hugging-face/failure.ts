/**
 * Failures as Hugging Face clients read them: `X-Error-Code` names the kind, `X-Error-Message`
 * and `{"error"}` say it for people. A 404 without a code would be taken for a broken server;
 * one that says EntryNotFound and names the revision is remembered by clients that ask for
 * files which many models do not have.
 */
import type { Request, Response } from 'express';
import { CodedError } from '../../core/error.ts';
import { beginRefusal, problemOf } from '../problem.ts';

/** The kinds of "not found" that clients tell apart (huggingface_hub, `utils/_http.py`). */
type Absence = 'RepoNotFound' | 'RevisionNotFound' | 'EntryNotFound';

/** There is no such model, revision or file: a `not-found` that says which. */
export function absent(absence: Absence, message: string): CodedError {
  return new CodedError('not-found', message, { absence });
}

/** Answers with a failure. */
export function sendHubFailure(request: Request, response: Response, error: CodedError): void {
  const { detail } = problemOf(error, beginRefusal(request, response, error));
  response
    .set({ 'X-Error-Code': kindOf(error), 'X-Error-Message': headerText(detail) })
    .json({ error: detail });
}

/**
 * The kind of absence, GatedRepo for bytes that the reader may not have (with 401 as with 403; clients
 * tell people to ask for access), or else our own code as the hub would spell it: RateLimited, Overloaded. */
function kindOf({ code, details }: CodedError): string {
  if (typeof details.absence === 'string') return details.absence;
  if (details.bytes !== undefined) return 'GatedRepo';
  return code.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Header values are ASCII without control characters. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
