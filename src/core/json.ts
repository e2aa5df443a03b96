/**
 * JSON at the edge. `parseJson` bounds size and depth and refuses duplicate keys, so that
 * two readers of one document cannot see two meanings; `formatCanonical` is the JSON
 * Canonicalization Scheme (RFC 8785), the only form in which our own documents are hashed,
 * signed and logged; `parseCanonical` accepts exactly what `formatCanonical` writes.
 */
import { equal, parseUtf8, utf8 } from './bytes.ts';
import { CodedError } from './error.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** How much of a document is read. */
export interface JsonLimits {
  /** Bytes of the encoded document. */
  readonly maxBytes: number;
  /** Nesting of arrays and objects; a scalar has depth 0. */
  readonly maxDepth: number;
}

/** Enough for every small document of ours. */
export const DEFAULT_JSON_LIMITS: JsonLimits = { maxBytes: 1 << 20, maxDepth: 32 };

/**
 * Parses strict JSON (RFC 8259) within `limits`. Duplicate keys, lone surrogates and
 * `__proto__` keys are refused. Throws `too-large` or `bad-json`; `what` names the document.
 */
export function parseJson(
  bytes: Uint8Array,
  what: string,
  limits: JsonLimits = DEFAULT_JSON_LIMITS,
): Json {
  if (bytes.length > limits.maxBytes) {
    throw new CodedError(
      'too-large',
      `${what} is ${bytes.length} bytes long; the limit is ${limits.maxBytes}`,
    );
  }
  const text = parseUtf8(bytes, what);
  scan(text, what, limits.maxDepth);
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new CodedError('bad-json', `${what} is not valid JSON: ${(error as Error).message}`);
  }
}

/**
 * Finds what JSON.parse hides or dies of: too much depth, a key that stands twice in one
 * object, `__proto__`. One pass over the text; syntax is left to JSON.parse.
 */
function scan(text: string, what: string, maxDepth: number): void {
  const open: (Set<string> | undefined)[] = [];
  let keyExpected = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x7b: // {
      case 0x5b: // [
        if (open.length >= maxDepth) {
          throw new CodedError('too-large', `${what} is nested deeper than ${maxDepth} levels`);
        }
        keyExpected = text[i] === '{';
        open.push(keyExpected ? new Set() : undefined);
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        keyExpected = false;
        break;
      case 0x2c: // ,
        keyExpected = open.at(-1) !== undefined;
        break;
      case 0x22: {
        const end = endOfString(text, i);
        if (keyExpected) {
          noteKey(text.slice(i, end + 1), open.at(-1), what);
          keyExpected = false;
        } else {
          refuseLoneSurrogate(text.slice(i, end + 1), what);
        }
        i = end;
        break;
      }
    }
  }
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0x5c) i++;
    else if (unit === 0x22) return i;
  }
  return text.length;
}

function noteKey(literal: string, keys: Set<string> | undefined, what: string): void {
  const key = parseLiteral(literal, what);
  if (keys === undefined || keys.has(key)) {
    throw new CodedError('bad-json', `${what} has the key ${literal} twice in one object`);
  }
  if (key === '__proto__') throw new CodedError('bad-json', `${what} has a key "__proto__"`);
  keys.add(key);
}

function refuseLoneSurrogate(literal: string, what: string): void {
  // Only an escape can smuggle one in: the text itself came out of strict UTF-8.
  if (literal.includes('\\u')) parseLiteral(literal, what);
}

function parseLiteral(literal: string, what: string): string {
  let value: unknown;
  try {
    value = JSON.parse(literal);
  } catch (error) {
    throw new CodedError('bad-json', `${what} is not valid JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'string' || !value.isWellFormed()) {
    throw new CodedError('bad-json', `${what} has a string with a lone surrogate`);
  }
  return value;
}

/** RFC 8785 bytes of `value`. Throws `bad-json` for what JSON cannot carry (NaN, undefined, …). */
export function formatCanonical(value: Json): Uint8Array {
  return utf8(canonicalText(value));
}

function canonicalText(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new CodedError('bad-json', 'text holds a lone surrogate');
    return JSON.stringify(value);
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new CodedError('bad-json', `JSON cannot carry ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object')
    throw new CodedError('bad-json', `JSON cannot carry ${typeof value}`);
  // RFC 8785, section 3.2.3: members are sorted by UTF-16 code units, which is what sort() does.
  const object = value as JsonObject;
  const members = Object.keys(object)
    .sort()
    .map((key) => `${canonicalText(key)}:${canonicalText(object[key]!)}`);
  return `{${members.join(',')}}`;
}

/** Parses a document that must be in canonical form already. Throws as `parseJson`, and `bad-json`. */
export function parseCanonical(
  bytes: Uint8Array,
  what: string,
  limits: JsonLimits = DEFAULT_JSON_LIMITS,
): Json {
  const value = parseJson(bytes, what, limits);
  if (!equal(formatCanonical(value), bytes)) {
    throw new CodedError('bad-json', `${what} is not canonical JSON (RFC 8785)`);
  }
  return value;
}
