/** What the query of a page's address says; what makes no sense in it counts as not said. */

/** The most characters of a search. */
const MAX_TEXT = 200;
/** Pages of the longest list. */
const MAX_PAGES = 1_000_000;

/** Text; '' for none. */
export function textOf(value: unknown, max = MAX_TEXT): string {
  return typeof value === 'string' ? value.trim().slice(0, max) : '';
}

/** The number of a page, from 1. */
export function pageOf(value: unknown): number {
  const [number = 1] = Object.values(wholeOf('page', value));
  return Math.min(Math.max(number, 1), MAX_PAGES);
}

/** A whole number under its name; nothing where there is none. */
export function wholeOf<K extends string>(name: K, value: unknown): { [key in K]?: number } {
  const isWhole = typeof value === 'string' && /^(?:0|[1-9][0-9]{0,14})$/.test(value);
  return (isWhole ? { [name]: Number(value) } : {}) as { [key in K]?: number };
}
