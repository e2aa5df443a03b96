/**
 * Shapes of documents. A schema (valibot) says what a document holds; `parseShape` turns a
 * value that came out of JSON into that type, or says in one sentence which field is wrong.
 * Objects are strict: an unknown key refuses the document. The same schemas make the API's
 * OpenAPI description.
 */
import * as v from 'valibot';
import { parseBase64 } from './bytes.ts';
import { DIGEST_PATTERN, type Digest } from './digest.ts';
import { CodedError, type ErrorCode } from './error.ts';

/** A schema for what came out of JSON. */
export type Shape<T> = v.GenericSchema<unknown, T>;

/** `value` in the type of `shape`; throws `code`, naming the document `what` and the field. */
export function parseShape<T>(
  shape: Shape<T>,
  value: unknown,
  what: string,
  code: ErrorCode = 'bad-document',
): T {
  const result = v.safeParse(shape, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  const field = path === null ? what : `${what}, field ${path.slice(0, 80)}`;
  throw new CodedError(code, `${field}: ${issue.message.slice(0, 300)}`);
}

// What OpenAPI is to say stands in actions that it can say, and not in a `check`.

const WHOLE = 'must be a whole number from 0 to 2^53 - 1';
/** A count, size or index: a whole number from 0 to 2^53 - 1. */
export const count = v.pipe(v.number(WHOLE), v.safeInteger(WHOLE), v.minValue(0, WHOLE));

const DIGEST = 'must be sha256: and 64 lower-case hex digits';
/** `sha256:<64 lower-case hex digits>`. */
export const digest = v.pipe(
  v.string(DIGEST),
  v.regex(DIGEST_PATTERN, DIGEST),
  v.transform((text) => text as Digest),
);

/** 32 bytes as lower-case hex. */
export const hex32 = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits'),
);

/** Canonical padded base64 of at most `maxBytes` bytes. */
export const base64 = (maxBytes: number) =>
  v.pipe(
    v.string(),
    v.maxLength(Math.ceil(maxBytes / 3) * 4, `must be base64 of at most ${maxBytes} bytes`),
    v.check(isBase64, 'must be canonical padded base64'),
  );

const INSTANT = 'must be a UTC time like 2026-01-31T12:00:00.000Z';
/** An instant in UTC with milliseconds, as `Date.toISOString` writes it. */
export const instant = v.pipe(v.string(), v.isoTimestamp(INSTANT), v.check(isInstant, INSTANT));

/**
 * An object with any names, each member of the shape `value`. Valibot's own `record` leaves
 * out `constructor` and `prototype`, which are names like any other here. What it gives has no
 * prototype: a name that is not there reads as undefined, whatever it is called.
 */
export const record = <T>(value: Shape<T>) =>
  v.pipe(
    v.custom<Readonly<Record<string, unknown>>>(isObject, 'must be an object'),
    v.rawTransform(({ dataset, addIssue, NEVER }): Readonly<Record<string, T>> => {
      const members: Record<string, T> = Object.create(null);
      for (const [key, member] of Object.entries(dataset.value)) {
        const result = v.safeParse(value, member, { abortEarly: true });
        if (!result.success) {
          const [{ message }] = result.issues;
          const { value: input } = dataset;
          addIssue({
            message,
            path: [{ type: 'object', origin: 'value', input, key, value: member }],
          });
          return NEVER;
        }
        members[key] = result.output;
      }
      return members;
    }),
  );

/** Text for people: no control characters but the newline. */
export const prose = (maxLength: number) =>
  v.pipe(
    v.string(),
    v.minLength(1, 'must not be empty'),
    v.maxLength(maxLength, `must have at most ${maxLength} characters`),
    v.regex(/^[^\x00-\x09\x0b-\x1f\x7f]*$/, 'must not hold control characters'),
  );

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isBase64(text: string): boolean {
  try {
    parseBase64(text);
    return true;
  } catch {
    return false;
  }
}

function isInstant(text: string): boolean {
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString() === text;
}
