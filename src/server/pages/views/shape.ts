/** A JSON Schema in words: what a value is, and, where it has parts, each of them below it. */
import type { Schema } from '../../openapi.ts';
import { type Html, html } from '../html.ts';
import { number } from '../pieces.ts';

/** Patterns that have a name among people. */
const PATTERNS: Readonly<Record<string, string>> = {
  '^sha256:[0-9a-f]{64}$': 'a digest, sha256:…',
  '^[0-9a-f]{64}$': '64 hex digits',
  '^(?:0|[1-9][0-9]{0,14})$': 'a whole number',
};

const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  null: 'null',
  number: 'a number',
  object: 'an object',
  string: 'text',
};

/** What is sent or answered, with all of its parts. */
export function shape(schema: Schema): Html {
  // That something with parts is an object need not be said.
  return html`${schema.properties === undefined && html`<p>${words(schema)}</p>`}${parts(schema)}`;
}

/** What a value is, in a few words. */
export function words(schema: Schema): Html {
  const choices = choicesOf(schema);
  if (choices !== undefined) return html`${joined(choices.map(words), ' or ')}`;
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum !== undefined) return joined(schema.enum.map(literal), ', ');
  if (schema.type === 'array' && schema.items !== undefined) {
    return html`${lengthOf(schema)} of: ${words(schema.items)}`;
  }
  return html`${named(schema)}${schema.description !== undefined && html`: ${schema.description}`}`;
}

function named({ type = '', format, pattern, maxLength }: Schema): string {
  if (format === 'binary') return 'bytes';
  if (format === 'date-time') return 'an instant, in UTC';
  const known = pattern === undefined ? undefined : PATTERNS[pattern];
  if (known !== undefined) return known;
  const limit = maxLength === undefined ? '' : ` of at most ${number(maxLength)} characters`;
  return `${TYPES[type] ?? 'any JSON'}${limit}`;
}

function lengthOf({ minItems, maxItems }: Schema): string {
  if (minItems !== undefined && minItems === maxItems) return `exactly ${number(minItems)}`;
  const least = minItems === undefined ? '' : `at least ${number(minItems)}`;
  const most = maxItems === undefined ? '' : `at most ${number(maxItems)}`;
  const limits = [least, most].filter((limit) => limit !== '').join(' and ');
  return limits === '' ? 'a list' : `a list, ${limits},`;
}

/** The parts of an object, of the objects in a list, and of each choice. */
function parts(schema: Schema): Html | undefined {
  const choices = choicesOf(schema);
  if (choices !== undefined) {
    const some = choices.map((choice) => parts(choice)).filter((each) => each !== undefined);
    return some.length === 0 ? undefined : joined(some, html`<p class="small">or</p>`);
  }
  if (schema.items !== undefined) return parts(schema.items);
  if (schema.properties === undefined) return undefined;
  const required = new Set(schema.required);
  return html`<ul class="shape">${Object.entries(schema.properties).map(
    ([name, part]) =>
      html`<li><code>${name}</code> ${!required.has(name) && html`<span class="small">may be left out,</span> `}${words(part)}${parts(part)}</li>`,
  )}</ul>`;
}

function choicesOf({ anyOf, oneOf }: Schema): readonly Schema[] | undefined {
  return anyOf ?? oneOf;
}

function literal(value: unknown): Html {
  return html`<code>${JSON.stringify(value)}</code>`;
}

function joined(all: readonly Html[], between: string | Html): Html {
  return html`${all.map((each, i) => html`${i > 0 && between}${each}`)}`;
}
