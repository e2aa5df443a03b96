/** What Hugging Face clients write into queries and bodies, each library in its own way. */
import type { Request } from 'express';
import * as v from 'valibot';
import { CodedError } from '../../core/error.ts';
import { parseShape } from '../../core/shape.ts';
import { FORM, readJson, readText } from '../body.ts';

/** Paths that may be asked about at once; clients send 1,000 a request at most. */
export const MAX_PATHS = 10_000;

/** A parameter that may be given once or many times. */
export function texts(value: unknown): string[] {
  const all = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return all.filter((one): one is string => typeof one === 'string' && one !== '');
}

/** Python writes True, scripts write true or 1. */
export function flag(value: unknown): boolean {
  return ['true', '1'].includes(texts(value)[0]?.toLowerCase() ?? '');
}

/** A whole number; undefined without one. Throws `usage` for anything else. */
export function wholeNumber(value: unknown): number | undefined {
  const text = texts(value)[0];
  if (text === undefined) return undefined;
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  throw new CodedError('usage', 'limits, pages and cursors of lists are whole numbers');
}

/** How many items a page has: as many as asked for, but from 1 to `most`. */
export function limitOf(value: unknown, most: number): number {
  return Math.max(1, Math.min(wholeNumber(value) ?? most, most));
}

/** The `Link` header that leads to the next page (RFC 8288), absolute, as clients need it. */
export function nextPage(url: string, request: Request, cursor: string): string {
  const next = new URL(url + request.originalUrl);
  next.searchParams.set('cursor', cursor);
  return `<${next}>; rel="next"`;
}

/** A path of which some clients encode the slashes and others do not. */
export function joined(segments: unknown): string {
  return Array.isArray(segments) ? segments.join('/') : '';
}

const pathsShape = v.object({
  paths: v.union([v.string(), v.array(v.string())]),
  expand: v.optional(v.union([v.boolean(), v.string()]), false),
});

/** The body of `paths-info`: huggingface_hub sends a form, @huggingface/hub sends JSON. */
export async function pathsOf(
  request: Request,
): Promise<{ readonly paths: readonly string[]; readonly expand: boolean }> {
  const isForm = request.is(FORM) !== false;
  const body = isForm ? formOf(await readText(request, FORM)) : await readJson(request);
  const { expand, ...asked } = parseShape(pathsShape, body, 'the request body', 'usage');
  const paths = texts(asked.paths);
  if (paths.length <= MAX_PATHS) return { paths, expand: flag(String(expand)) };
  throw new CodedError('too-large', `ask about at most ${MAX_PATHS} paths at once`);
}

function formOf(text: string): object {
  const form = new URLSearchParams(text);
  return { paths: form.getAll('paths'), expand: form.get('expand') ?? 'false' };
}
