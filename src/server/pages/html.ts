/**
 * HTML as a value: what is put into a template is escaped, unless it is HTML already. Only what
 * `html` and `trusted` make is HTML, so a text can never become markup by being forgotten.
 */
import { raw, html as template } from 'hono/html';

declare const brand: unique symbol;

/** A piece of a page. */
export type Html = { readonly [brand]: 'Html'; toString(): string };

/** What may stand in a template; nothing is shown for `undefined` and `false`. */
export type Part = Html | string | number | undefined | false | readonly Part[];

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return template(strings, ...parts) as unknown as Html;
}

/** HTML that a program wrote which escapes by itself: the only door for what `html` did not make. */
export function trusted(text: string): Html {
  return raw(text) as unknown as Html;
}
