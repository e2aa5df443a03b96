/** What a person wants to be looked at: something on this machine, or a published release. */
import { existsSync } from 'node:fs';
import type { Reader } from '../client/release.ts';
import { CodedError } from '../core/error.ts';
import { parseReference, type Reference } from '../core/release/name.ts';
import type { Context } from './context.ts';
import { openApiIfAny, openReader } from './reach.ts';

export type Source =
  | { readonly path: string }
  | { readonly reference: Reference; readonly reader: Reader };

/** `namespace/name`, with or without what follows an `@`; no way to write a path of this machine. */
const REFERENCE = /^[^./~@][^/@]*\/[^/@]+(?:@[^/]*)?$/;

/**
 * Whatever lies on this machine is a path; only what does not may be a reference. Throws
 * `not-found` for what is neither, `bad-name` for a malformed reference.
 */
export async function openSource(context: Context, text: string): Promise<Source> {
  if (existsSync(text)) return { path: text };
  if (!REFERENCE.test(text)) throw new CodedError('not-found', `there is nothing at ${text}`);
  const reference = parseReference(text);
  const api = await openApiIfAny(context);
  if (api !== undefined) return { reference, reader: await openReader(context, api) };
  throw new CodedError(
    'not-found',
    `there is nothing at ${text}; for a release of that name give its registry with --url or WEIGHHOUSE_URL`,
  );
}
